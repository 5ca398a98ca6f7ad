/// An http or https address in one spelling, so that links which lead to the same page are equal.
///
/// Links are read as browsers read them: relative ones by RFC 3986 § 5.2, and what no URL may hold (spaces, letters
/// beyond ASCII) percent-encoded. Then the path is normalised (RFC 3986 § 6.2.2), and the fragment, which no server
/// sees, dropped. The query stays as it is.
package struct WebAddress: Hashable, Sendable {
    /// The address, read as narrowly as any other.
    package let url: StrictURL

    /// The whole address.
    package var text: String { url.text }
    package var origin: Origin { url.origin }

    /// `nil` unless `text` is absolute, http or https, and at most 2048 bytes long when it is normalised.
    package init?(_ text: String) {
        self.init(cleaned: Self.cleaned(text))
    }

    /// The address that a reference on this page leads to; `nil` for one that is no http or https address (`mailto:`).
    package func resolving(_ reference: String) -> WebAddress? {
        let bytes = Self.cleaned(reference)
        guard bytes.count <= Self.longest else { return nil }
        if Self.hasScheme(bytes) { return WebAddress(cleaned: bytes) }
        let scheme = origin.description.utf8.prefix { $0 != UInt8(ascii: "/") }
        let base: [UInt8]
        switch bytes.first {
        case nil: return self
        case UInt8(ascii: "/") where bytes.dropFirst().first == UInt8(ascii: "/"): base = Array(scheme)
        case UInt8(ascii: "/"): base = Array(origin.description.utf8)
        case UInt8(ascii: "?"): base = Array((origin.description + path).utf8)
        default: base = Array((origin.description + directory).utf8)
        }
        return WebAddress(cleaned: base + bytes)
    }

    /// From the first slash on, without the query; never empty.
    package var path: String { String(Substring(url.rest.utf8.prefix { $0 != UInt8(ascii: "?") })) }

    /// The path up to its last slash.
    package var directory: String {
        let path = path.utf8
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return "/" }
        return String(Substring(path[...slash]))
    }

    /// Enough for any address that `StrictURL` takes, however it was spelled.
    private static let longest = 8192

    private init?(cleaned bytes: [UInt8]) {
        guard bytes.count <= Self.longest, let start = Self.authority(bytes) else { return nil }
        let rest = bytes[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? bytes.count
        let query = bytes[rest...].firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
        var text = bytes[..<start].map(Self.lowercased)
        text += bytes[start..<rest]
        text += Self.withoutDotSegments(Self.normalised(bytes[rest..<query]))
        text += bytes[query...].flatMap { StrictURL.isPlain($0) ? [$0] : Percent.escape($0) }
        guard let url = StrictURL(String(decoding: text, as: UTF8.self)) else { return nil }
        self.url = url
    }

    /// The place behind `http://` or `https://`, in any case; `nil` where there is none.
    private static func authority(_ bytes: [UInt8]) -> Int? {
        ["https://", "http://"].first {
            bytes.count > $0.utf8.count && zip(bytes, $0.utf8).allSatisfy { lowercased($0) == $1 }
        }?
        .utf8.count
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    /// Without white space around it, line ends and tabs in it, and the fragment: as the URL standard of browsers has
    /// it, since people break links over lines.
    private static func cleaned(_ text: String) -> [UInt8] {
        var bytes = text.utf8.prefix { $0 != UInt8(ascii: "#") }.filter { $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        bytes = Array(bytes.drop { $0 <= 0x20 })
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        return bytes
    }

    /// RFC 3986 § 3.1: a letter, then letters, digits, `+`, `-` and `.` up to a colon.
    private static func hasScheme(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, (0x61...0x7A).contains(first | 0x20) else { return false }
        let name = bytes.prefix { $0.isASCIILetterOrDigit || "+-.".utf8.contains($0) }
        return name.count < bytes.count && bytes[name.count] == UInt8(ascii: ":")
    }

    /// RFC 3986 § 6.2.2.1 and § 6.2.2.2: escapes of unreserved characters are taken back, the others in upper case.
    private static func normalised(_ path: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(path.count)
        var rest = path
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let escaped = Percent.octet(rest) {
                result += Percent.isUnreserved(escaped) ? [escaped] : Percent.escape(escaped)
                rest = rest.dropFirst(2)
            } else if byte == UInt8(ascii: "%") || !StrictURL.isPlain(byte) {
                result += Percent.escape(byte)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    /// RFC 3986 § 5.2.4; a path is never empty (§ 6.2.3).
    private static func withoutDotSegments(_ path: [UInt8]) -> [UInt8] {
        var segments: [ArraySlice<UInt8>] = []
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
        for (number, part) in parts.enumerated() {
            let (isParent, isSelf) = (part.elementsEqual("..".utf8), part.elementsEqual(".".utf8))
            if isParent { _ = segments.popLast() }
            if !isParent, !isSelf {
                segments.append(part)
            } else if number == parts.count - 1 {
                // `/a/..` is the folder, with its slash.
                segments.append([])
            }
        }
        return segments.isEmpty ? [UInt8(ascii: "/")] : segments.flatMap { [UInt8(ascii: "/")] + $0 }
    }
}
