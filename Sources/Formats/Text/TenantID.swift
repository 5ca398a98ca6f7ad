/// A tenant of the product that Cloakroom serves, matching `pattern`.
public struct TenantID: Hashable, Sendable, CustomStringConvertible {
    /// The form of an id, for messages that say what is wanted.
    package static let pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

    /// The id as it was given; compared byte for byte.
    public let description: String

    /// `nil` unless `text` matches `pattern`.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        let allowed = { (byte: UInt8) in byte.isASCIILetterOrDigit || byte == 0x2E || byte == 0x5F || byte == 0x2D }
        guard let first = text.utf8.first, first.isASCIILetterOrDigit, text.utf8.count <= 64,
            text.utf8.allSatisfy(allowed)
        else { return nil }
        description = text
    }
}
