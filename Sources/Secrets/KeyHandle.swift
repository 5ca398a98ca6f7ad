import COpenSSL

/// Owns one of libcrypto's keys.
///
/// `@unchecked Sendable`: the pointer never changes, and an `EVP_PKEY` may be read and used for signing by many
/// threads at once (openssl-threads(7)): each operation has its own context here, and what libcrypto keeps in the key
/// for later (RSA's blinding, exports to providers) it guards with locks of its own. Nothing here changes a key once
/// it is made.
final class KeyHandle: @unchecked Sendable {
    enum Kind: Sendable {
        case rsa
        case p256
        case p384
        case p521
        case ed25519
        case ed448
    }

    let kind: Kind
    private let key: OpaquePointer

    /// Takes the key over; `nil` where there is none or it is of another kind.
    init?(_ key: OpaquePointer?) {
        guard let key else { return nil }
        switch Int(cloakroom_key_kind(key)) {
        case Int(CLOAKROOM_KEY_RSA): kind = .rsa
        case Int(CLOAKROOM_KEY_P256): kind = .p256
        case Int(CLOAKROOM_KEY_P384): kind = .p384
        case Int(CLOAKROOM_KEY_P521): kind = .p521
        case Int(CLOAKROOM_KEY_ED25519): kind = .ed25519
        case Int(CLOAKROOM_KEY_ED448): kind = .ed448
        default:
            EVP_PKEY_free(key)
            return nil
        }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    /// The algorithms that RFC 7518 § 3.1, RFC 8037 § 3.1 and RFC 9864 § 2 allow for this key, the most usual first.
    var algorithms: [SignatureAlgorithm] {
        switch kind {
        case .rsa: [.RS256, .RS384, .RS512, .PS256, .PS384, .PS512]
        case .p256: [.ES256]
        case .p384: [.ES384]
        case .p521: [.ES512]
        case .ed25519: [.EdDSA, .Ed25519]
        case .ed448: [.EdDSA, .Ed448]
        }
    }

    /// How long this key's signatures are. All of a key have one length.
    var signatureLength: Int {
        switch kind {
        case .rsa: Int(EVP_PKEY_get_size(key))
        case .p256, .ed25519: 64
        case .p384: 96
        case .p521: 132
        case .ed448: 114
        }
    }

    func sign(_ bytes: [UInt8], with algorithm: SignatureAlgorithm) -> [UInt8]? {
        guard algorithms.contains(algorithm) else { return nil }
        let length = signatureLength
        let signature = [UInt8](unsafeUninitializedCapacity: length) { output, written in
            written = cloakroom_sign(key, algorithm.scheme, bytes, bytes.count, output.baseAddress, length)
        }
        return signature.count == length ? signature : nil
    }

    func verify(_ signature: [UInt8], of bytes: [UInt8], with algorithm: SignatureAlgorithm) -> Bool {
        // RFC 8017 § 8.1.2 and § 8.2.2, step 1: one length, so that one signature has one spelling.
        guard algorithms.contains(algorithm), signature.count == signatureLength else { return false }
        return cloakroom_verify(key, algorithm.scheme, bytes, bytes.count, signature, signature.count) == 1
    }

    /// One of the key's numbers in base64url (RFC 7518 § 6); `width` 0 leaves leading zeros out.
    func number(_ name: String, width: Int) -> String? {
        // 8192 bits, the longest that `cloakroom_key_kind` lets through.
        let bytes = [UInt8](unsafeUninitializedCapacity: 1024) { output, written in
            written = cloakroom_key_number(key, name, Int32(width), output.baseAddress, 1024)
        }
        return bytes.isEmpty ? nil : Base64URL.encode(bytes)
    }

    /// The bytes of an Ed25519 or Ed448 public key in base64url (RFC 8037 § 2).
    var edwardsPoint: String? {
        let bytes = [UInt8](unsafeUninitializedCapacity: 57) { output, written in
            written = cloakroom_key_edwards(key, output.baseAddress, 57)
        }
        return bytes.isEmpty ? nil : Base64URL.encode(bytes)
    }
}
