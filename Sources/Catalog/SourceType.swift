/// A kind of source that tenants connect, as the catalog describes it. Data: no code asks which one it holds.
public struct SourceType: Sendable {
    /// The name of a source type, matching `pattern`.
    public struct ID: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// For sentences that say what is wanted.
        package static let pattern = "^[a-z][a-z0-9_]{0,63}$"

        public let description: String

        public init?(_ text: some StringProtocol) {
            let text = String(text)
            let allowed = { (byte: UInt8) in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
            }
            guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= 64,
                text.utf8.allSatisfy(allowed)
            else { return nil }
            description = text
        }

        public static func < (left: ID, right: ID) -> Bool { left.description < right.description }
    }

    public let id: ID
    public let displayName: String
    public let category: String
    /// Source types of one provider share its client credentials.
    public let provider: String
    /// Where the provider documents its OAuth.
    public let documentation: String?
    /// What an operator does at the provider to register the app.
    public let registration: String?
    /// `nil`: it has no OAuth.
    public let oauth: OAuthProfile?
}
