public import Secrets

/// The keys that callers' tokens may be signed with: an issuer's, or one secret that it shares with the broker.
public struct VerificationKeys: Sendable {
    private enum Source: Sendable {
        case secret(SharedTokenSecret)
        /// Never for a MAC: keys of the type `oct` are passed over.
        case set(JSONWebKeySet)
    }

    private let source: Source

    /// The reasons why keys are not usable.
    public enum Fault: Error, Equatable, Sendable {
        /// The text is no JWK set, or beyond the bounds of one.
        case notAKeySet
        /// No key of the set can verify a signature here.
        case noUsableKey
        /// The secret has less than 32 bytes.
        case secretTooShort
    }

    /// A shared secret for HS256, of at least 32 bytes (RFC 7518 § 3.2).
    public init(sharedSecret: SecretBytes) throws(Fault) {
        guard let secret = SharedTokenSecret(sharedSecret) else { throw .secretTooShort }
        source = .secret(secret)
    }

    /// A JWK set (RFC 7517 § 5) that an operator gives. Keys of other kinds or for encryption are passed over.
    public init(jwks: [UInt8]) throws(Fault) {
        guard let set = JSONWebKeySet(json: jwks) else { throw .notAKeySet }
        guard !set.isEmpty else { throw .noUsableKey }
        source = .set(set)
    }

    /// The claims of a token, if it is signed with these keys.
    package func claims(of token: JSONWebSignature) throws(VerifiedClaims.Fault) -> VerifiedClaims {
        switch source {
        case .secret(let secret): try secret.claims(of: token)
        case .set(let set): try set.claims(of: token)
        }
    }
}
