import COpenSSL

/// The signatures of RFC 7518 § 3.1 and RFC 8037 § 3.1 that are made and believed here. No MAC is among them, and
/// nothing that means "none": a public key can never pass for a shared secret (RFC 8725 § 3.1).
public enum SignatureAlgorithm: String, CaseIterable, Sendable {
    case RS256
    case RS384
    case RS512
    case PS256
    case PS384
    case PS512
    case ES256
    case ES384
    case EdDSA

    /// The digest of `bytes` by the hash function that the algorithm rests on.
    public func digest(of bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 64) { output, written in
            // Ed25519 hashes with SHA-512 (RFC 8032 § 5.1), inside the signature.
            let bits: Int32 = self == .EdDSA ? 512 : scheme.digest
            written = cloakroom_sha2(bits, bytes, bytes.count, output.baseAddress)
            // As for SHA-256: fails only where libcrypto cannot be used at all.
            guard written > 0 else { fatalError("libcrypto has no SHA-2") }
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
        case .EdDSA: cloakroom_scheme(digest: 0, pss: 0, width: 0)
        }
    }
}
