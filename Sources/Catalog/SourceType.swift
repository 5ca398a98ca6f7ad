/// A kind of source that tenants connect, as the catalog describes it. Data: no code asks which one it holds.
public struct SourceType: Sendable {
    /// The name by which calls, configuration and events know a source type; it matches `pattern`.
    public struct ID: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// The form of a name, for sentences that say what is wanted.
        package static let pattern = "^[a-z][a-z0-9_]{0,63}$"

        /// The name itself.
        public let description: String

        /// `nil` where the text is not of that form.
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

        /// In the order of their bytes.
        public static func < (left: ID, right: ID) -> Bool { left.description < right.description }
    }

    /// Unique in a catalog. The store's rows name it: an entry that is renamed loses its tenants' clients.
    public let id: ID
    /// The name that people know it by.
    public let displayName: String
    /// A word such as `drive`, `wiki` or `chat`, by which frontends may group their lists.
    public let category: String
    /// Source types of one provider share its client credentials.
    public let provider: String
    /// The address of the provider's documentation of its OAuth.
    public let documentation: String?
    /// Instructions for operators: the steps that register the app at the provider.
    public let registration: String?
    /// `nil`: there is nothing to connect by OAuth.
    public let oauth: OAuthProfile?
}
