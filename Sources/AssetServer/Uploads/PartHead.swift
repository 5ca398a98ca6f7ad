import Formats

/// The head of a part of a form (RFC 7578 § 4).
struct PartHead: Equatable {
    /// Of the field; `nil` where it has none.
    let name: String?
    /// As the sender's machine has it, without folders; `nil` where the part is no file.
    let fileName: String?
    /// The media type in lower case, without parameters.
    let contentType: String?
    /// As the part declares it, where it is a name.
    let charset: String?

    private static let mostFields = 32

    /// - Parameter lines: with their line ends, and the empty line.
    init(_ lines: ArraySlice<UInt8>) throws(MultipartFault) {
        var fields: [(name: String, value: [UInt8])] = []
        for line in Self.split(lines) where !line.isEmpty {
            if line.first == 0x20 || line.first == 0x09 {
                // RFC 5322 § 2.2.3: the field goes on.
                guard !fields.isEmpty else { throw .malformed }
                fields[fields.count - 1].value += line
                continue
            }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), fields.count < Self.mostFields else {
                throw .malformed
            }
            let name = HeaderValue.lowercased(String(decoding: line[..<colon], as: UTF8.self)[...].utf8)
            fields.append((name, Array(line[colon...].dropFirst())))
        }
        let value = { (name: String) in fields.first { $0.name.isExactly(name) }?.value }
        contentType = value("content-type").flatMap { field in
            let type = HeaderValue.mediaType(String(decoding: field, as: UTF8.self))
            return type.isEmpty ? nil : type
        }
        charset = value("content-type").flatMap { HeaderParameters($0)["charset"] }
            .map { String(decoding: $0, as: UTF8.self).lowercased() }
            .flatMap { (1...40).contains($0.utf8.count) && HeaderText.isName($0) ? $0 : nil }
        guard let disposition = value("content-disposition").map({ HeaderParameters($0) }),
            disposition.value.isExactly("form-data")
        else {
            (name, fileName) = (nil, nil)
            return
        }
        name = disposition["name"].map { String(decoding: $0, as: UTF8.self) }
        fileName = disposition.fileName
    }

    private static func split(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { $0.last == 0x0D ? $0.dropLast() : $0 }
    }
}

extension HeaderParameters {
    /// RFC 7578 § 4.2: `filename`, in UTF-8 as it is. `filename*` (RFC 8187) is not for forms; some send it alone.
    fileprivate var fileName: String? {
        let bytes = self["filename"] ?? self["filename*"].flatMap(Self.extended)
        guard let bytes else { return nil }
        let text = String(untrusted: bytes) ?? String(repairing: bytes)
        // Without folders: nothing here is ever a path. And on one line.
        let base =
            text.utf8.lastIndex(of: UInt8(ascii: "/")).map { Substring(text.utf8[$0...].dropFirst()) } ?? text[...]
        return String(String.UnicodeScalarView(base.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }

    /// `UTF-8'language'` and percent-encoded bytes.
    private static func extended(_ value: [UInt8]) -> [UInt8]? {
        let parts = value.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, String(decoding: parts[0], as: UTF8.self).isExactly("utf-8", inAnyCase: true) else {
            return nil
        }
        return percentDecoded(parts[2])
    }

    /// A percent sign that begins no escape stays.
    private static func percentDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var (decoded, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes)
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), let octet = Percent.octet(rest) else {
                decoded.append(byte)
                continue
            }
            decoded.append(octet)
            rest = rest.dropFirst(2)
        }
        return decoded
    }
}
