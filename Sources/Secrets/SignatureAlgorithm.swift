import COpenSSL

/// The signatures of RFC 7518 § 3.1, RFC 8037 § 3.1 and RFC 9864 § 2 that are made and accepted here. No MAC is among
/// them, and nothing that means "none": a public key can never pass for a shared secret (RFC 8725 § 3.1).
public enum SignatureAlgorithm: String, CaseIterable, Sendable {
    case RS256
    case RS384
    case RS512
    case PS256
    case PS384
    case PS512
    case ES256
    case ES384
    case ES512
    /// Ed25519 or Ed448, as the key is: the name that RFC 9864 § 2.2 replaces by the two that follow.
    case EdDSA
    case Ed25519
    case Ed448

    /// Tells whether a key whose `alg` is `name` (RFC 7517 § 4.4) may sign with this algorithm. Issuers adopt the names
    /// of RFC 9864 § 2 in their keys and in their tokens at different times; the signatures are the same.
    package func isMeant(by name: String) -> Bool {
        switch (self, name) {
        case (.EdDSA, "Ed25519"), (.EdDSA, "Ed448"), (.Ed25519, "EdDSA"), (.Ed448, "EdDSA"): true
        // By bytes: `==` also takes what Unicode holds for the same.
        default: rawValue.utf8.elementsEqual(name.utf8)
        }
    }

    /// The digest of `bytes` by the algorithm's hash function, for `at_hash` and `c_hash` (OpenID Connect
    /// Core § 3.1.3.6, § 3.3.2.11). `EdDSA` counts as Ed25519: `VerificationKey.specified` tells the two apart.
    public func digest(of bytes: [UInt8]) -> [UInt8] {
        // Ed448 hashes with SHAKE256 to 114 bytes (RFC 8032 § 5.2), Ed25519 with SHA-512 (§ 5.1), both inside the
        // signature.
        let capacity = self == .Ed448 ? 114 : 64
        return [UInt8](unsafeUninitializedCapacity: capacity) { output, written in
            switch self {
            case .Ed448:
                written = cloakroom_shake256(bytes, bytes.count, output.baseAddress, capacity) == 1 ? capacity : 0
            case .EdDSA, .Ed25519: written = cloakroom_sha2(512, bytes, bytes.count, output.baseAddress)
            default: written = cloakroom_sha2(scheme.digest, bytes, bytes.count, output.baseAddress)
            }
            // As for SHA-256: fails only where libcrypto cannot be used at all.
            guard written > 0 else { fatalError("libcrypto has no SHA-2 or SHA-3") }
        }
    }

    var scheme: cloakroom_scheme {
        switch self {
        case .RS256: cloakroom_scheme(digest: 256, pss: 0, width: 0)
        case .RS384: cloakroom_scheme(digest: 384, pss: 0, width: 0)
        case .RS512: cloakroom_scheme(digest: 512, pss: 0, width: 0)
        case .PS256: cloakroom_scheme(digest: 256, pss: 1, width: 0)
        case .PS384: cloakroom_scheme(digest: 384, pss: 1, width: 0)
        case .PS512: cloakroom_scheme(digest: 512, pss: 1, width: 0)
        case .ES256: cloakroom_scheme(digest: 256, pss: 0, width: 32)
        case .ES384: cloakroom_scheme(digest: 384, pss: 0, width: 48)
        case .ES512: cloakroom_scheme(digest: 512, pss: 0, width: 66)
        case .EdDSA, .Ed25519, .Ed448: cloakroom_scheme(digest: 0, pss: 0, width: 0)
        }
    }
}
