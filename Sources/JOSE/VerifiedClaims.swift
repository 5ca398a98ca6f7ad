package import Formats
package import Secrets

/// The claims of a token whose signature was verified (RFC 7519 § 4): nothing but a key makes one. They are personal
/// data, and print as their type alone.
package struct VerifiedClaims: Sendable, Redacted {
    /// The payload's members, none of them twice.
    package let members: [String: JSONValue]
    /// By its full name (RFC 9864 § 2.2); `nil` for HS256.
    package let algorithm: SignatureAlgorithm?
    /// The issuer whose key it is, if the set says so.
    let keyIssuer: String?

    /// The reasons why a token is not believed, whatever it claims.
    package enum Fault: Error, Equatable, Sendable {
        /// No algorithm that the keys could be used with: the header's `alg`, as it stands there.
        case unknownAlgorithm(String)
        /// No key here is the one that the header names.
        case unknownKey
        /// Several could be, and the header names none.
        case ambiguousKey
        /// No key that the header may mean made the signature.
        case signatureWrong
        /// RFC 7519 § 7.2, 10: no JSON object.
        case malformed
        /// RFC 7519 § 4: a claim comes twice, so that another reader could read something else in it.
        case memberRepeated
    }

    fileprivate init(
        _ payload: [UInt8], signedWith algorithm: SignatureAlgorithm?, keyOf issuer: String? = nil
    ) throws(Fault) {
        do {
            members = try StrictJSON.partOfToken(payload)
        } catch {
            throw error == .memberRepeated ? .memberRepeated : .malformed
        }
        self.algorithm = algorithm
        keyIssuer = issuer
    }

    /// The claim as it came; `nil` where it is absent.
    package subscript(name: String) -> JSONValue? { members[name] }

    /// Tells whether `iss` is exactly this (RFC 7519 § 4.1.1).
    package func isIssued(by issuer: String) -> Bool { members["iss"]?.string?.isExactly(issuer) == true }

    /// A moment as RFC 7519 § 2 has them: a number of seconds, never text. In floating point: a number of any size
    /// compares, and none overflows.
    package func moment(_ name: String) -> Double? { members[name]?.number }

    /// Tells whether `nbf` is still to come, or is no moment at all (RFC 7519 § 4.1.5). Absent or null, it is not.
    package func isEarly(at now: Double) -> Bool {
        switch members["nbf"] {
        case nil, .null?: false
        default: moment("nbf").map { $0 > now + Self.leeway } ?? true
        }
    }

    /// Seconds by which clocks may differ.
    package static let leeway = 60.0
}

extension JSONWebKeySet {
    /// The claims of `token`, if one of these keys signed it. The key is chosen by `kid` and `alg` before anything is
    /// verified, so that a token cannot (RFC 8725 § 3.1).
    package func claims(of token: JSONWebSignature) throws(VerifiedClaims.Fault) -> VerifiedClaims {
        guard let algorithm = SignatureAlgorithm(rawValue: token.algorithm) else {
            throw .unknownAlgorithm(token.algorithm)
        }
        let candidates = candidates(for: token.keyID, algorithm)
        guard let first = candidates.first else { throw .unknownKey }
        // OpenID Connect Core § 10.1: "if there are multiple keys … a kid value MUST be provided".
        guard candidates.count == 1 || token.keyID != nil else { throw .ambiguousKey }
        // RFC 7517 § 4.5: several keys may share a name.
        let signer =
            token.isSigned(by: first.key, with: algorithm)
            ? first : candidates.dropFirst().first { token.isSigned(by: $0.key, with: algorithm) }
        guard let signer else { throw .signatureWrong }
        return try VerifiedClaims(
            token.payload, signedWith: signer.key.specified(algorithm), keyOf: signer.issuer)
    }

    /// Tells whether a key is here that the header names; if not, the issuer may have a new one.
    package func hasKey(of token: JSONWebSignature) -> Bool {
        SignatureAlgorithm(rawValue: token.algorithm).map { !keys(for: token.keyID, $0).isEmpty } ?? false
    }
}

/// One secret that an issuer shares with the broker. For HS256 and nothing else: no public key can ever pass for it
/// (RFC 8725 § 3.1).
package struct SharedTokenSecret: Sendable {
    private let secret: SecretBytes

    /// `nil` where it has less than 32 bytes (RFC 7518 § 3.2).
    package init?(_ secret: SecretBytes) {
        guard secret.count >= 32 else { return nil }
        self.secret = secret
    }

    /// The claims of `token`, if this secret signed it. Another `alg` than HS256 is `unknownKey`.
    package func claims(of token: JSONWebSignature) throws(VerifiedClaims.Fault) -> VerifiedClaims {
        guard token.algorithm.isExactly("HS256") else { throw .unknownAlgorithm(token.algorithm) }
        guard token.isSigned(with: secret) else { throw .signatureWrong }
        return try VerifiedClaims(token.payload, signedWith: nil)
    }
}
