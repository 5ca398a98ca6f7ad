import Formats
public import Secrets

/// The `code_challenge` or exchange challenge sent ahead of a verifier: base64url(SHA-256(verifier)) (RFC 7636 § 4.2).
public struct CodeChallenge: Hashable, Sendable {
    /// 43 characters of base64url. Not secret.
    public let text: String

    /// `nil` unless it has the shape of an S256 challenge: 43 characters that decode to 32 bytes.
    public init?(_ text: String) {
        guard text.utf8.count == 43, Base64URL.decode(text) != nil else { return nil }
        self.text = text
    }

    /// The S256 challenge of a verifier: of the broker's own at a provider, or of a frontend's exchange verifier.
    public init<Use>(of verifier: Secret<Use>) {
        text = Base64URL.encode(verifier.digest.bytes)
    }
}

extension ExchangeVerifier {
    /// Takes a caller's text; `nil` unless it is 43 to 128 unreserved characters (RFC 7636 § 4.1).
    public init?(checking text: String) {
        guard (43...128).contains(text.utf8.count), text.utf8.allSatisfy(Percent.isUnreserved) else { return nil }
        self.init(text)
    }
}
