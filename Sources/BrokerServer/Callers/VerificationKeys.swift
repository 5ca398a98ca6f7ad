import Broker
import Formats
import Secrets

/// The keys that callers' tokens may be signed with: an issuer's, or one secret that it shares with the broker.
public struct VerificationKeys: Sendable {
    private enum Source: Sendable {
        /// For HS256 and nothing else: no public key can ever pass for it (RFC 8725 § 3.1).
        case secret(SecretBytes)
        /// Never for a MAC: keys of the type `oct` are passed over.
        case set(JSONWebKeySet)
    }

    private let source: Source

    /// Why a key set is not usable.
    public enum Fault: Error, Equatable, Sendable {
        case notAKeySet
        case noUsableKey
        case secretTooShort
    }

    /// A shared secret for HS256, of at least 32 bytes (RFC 7518 § 3.2).
    public init(sharedSecret: [UInt8]) throws(Fault) {
        guard sharedSecret.count >= 32 else { throw .secretTooShort }
        source = .secret(SecretBytes(sharedSecret))
    }

    /// A JWK set (RFC 7517 § 5) that an operator gives. Keys of other kinds or for encryption are passed over.
    public init(jwks: [UInt8]) throws(Fault) {
        guard let set = JSONWebKeySet(json: jwks) else { throw .notAKeySet }
        guard !set.isEmpty else { throw .noUsableKey }
        source = .set(set)
    }

    /// A JWK set as an issuer answers with it; `nil` where it is none. One without keys is an answer too: all were
    /// withdrawn.
    init?(answer: [UInt8]) {
        guard let set = JSONWebKeySet(json: answer) else { return nil }
        source = .set(set)
    }

    /// The relation of a token to these keys.
    enum Verdict {
        case signed
        /// No key here is the one that the header names, or more than one could be.
        case unknownKey
        case signatureWrong
    }

    /// We choose the key by `kid` and `alg` before anything is verified, so that a token cannot (RFC 8725 § 3.1).
    func verdict(on token: JSONWebSignature) -> Verdict {
        switch source {
        case .secret(let secret):
            guard token.algorithm.isExactly("HS256") else { return .unknownKey }
            return token.isSigned(with: secret) ? .signed : .signatureWrong
        case .set(let set):
            let keys = candidates(token, set)
            // A token without `kid` is sound only where one key alone could have signed it.
            guard let algorithm = SignatureAlgorithm(rawValue: token.algorithm), let first = keys.first,
                keys.count == 1 || token.keyID != nil
            else { return .unknownKey }
            // RFC 7517 § 4.5: several keys may share a name.
            let isSigned =
                token.isSigned(by: first, with: algorithm)
                || keys.dropFirst().contains { token.isSigned(by: $0, with: algorithm) }
            return isSigned ? .signed : .signatureWrong
        }
    }

    /// Tells whether a key is here that the header names; if not, the issuer may have a new one.
    func haveKey(of token: JSONWebSignature) -> Bool {
        switch source {
        case .secret: true
        case .set(let set): !candidates(token, set).isEmpty
        }
    }

    private func candidates(_ token: JSONWebSignature, _ set: JSONWebKeySet) -> [VerificationKey] {
        SignatureAlgorithm(rawValue: token.algorithm).map { set.keys(for: token.keyID, $0) } ?? []
    }
}
