import Formats

/// Makes names of documents of what sources say: one line, without what acts on a terminal, and not long.
enum FileName {
    /// The longest name of most file systems.
    private static let longest = 255

    /// A title or name as a source has it; `nil` where nothing of it can be seen.
    static func cleaned(_ text: String?) -> String? {
        guard let text else { return nil }
        let scalars = text.prefix(bytes: longest * 4).unicodeScalars
        // White space of all kinds is a space, and several are one.
        let words = String(
            String.UnicodeScalarView(scalars.map { $0.isActive || $0.properties.isWhitespace ? " " : $0 })
        )
        .utf8.split(separator: 0x20)
        let name = words.map { String(Substring($0)) }.joined(separator: " ").prefix(bytes: longest)
        return name.isEmpty ? nil : name
    }

    /// The last part of an address's path; its host where the path has none.
    static func last(of address: WebAddress) -> String {
        let part = address.path.utf8.split(separator: UInt8(ascii: "/")).last ?? Substring().utf8
        return cleaned(String(repairing: decoded(part))) ?? address.url.host
    }

    /// RFC 3986 § 2.1
    private static func decoded(_ part: Substring.UTF8View) -> [UInt8] {
        var (bytes, rest) = ([UInt8](), Array(part)[...])
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let octet = Percent.octet(rest) {
                bytes.append(octet)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
