import Formats
import Transport

/// A `Content-Type` header, as far as documents need it (RFC 9110 § 8.3).
struct ContentType: Sendable, Hashable {
    /// In lower case; `nil` where the source does not say, or says that it does not know.
    let mediaType: String?
    /// In lower case.
    let charset: String?

    init(_ value: String?) {
        let value = value ?? ""
        let type = HeaderValue.mediaType(value)
        mediaType = DocumentType.unsaying.contains(type) ? nil : type
        charset = Self.charset(value)
    }

    /// RFC 9110 § 8.3.2; in quotation marks or without.
    private static func charset(_ value: String) -> String? {
        let parts = value.utf8.split(separator: UInt8(ascii: ";"), maxSplits: 8, omittingEmptySubsequences: false)
        for part in parts.dropFirst() {
            let pair = HeaderValue.trimmed(part)
            guard HeaderValue.lowercased(pair.prefix(8)) == "charset=" else { continue }
            let name = pair.dropFirst(8).filter { $0 != UInt8(ascii: "\"") }
            let text = String(decoding: name, as: UTF8.self)
            return (1...40).contains(name.count) && HeaderText.isName(text) ? text.lowercased() : nil
        }
        return nil
    }
}
