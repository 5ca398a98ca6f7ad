import COpenSSL

/// HMAC with SHA-256 (RFC 2104 § 2): proves that the author of the bytes knows the key.
public enum HMACSHA256 {
    /// The 32 bytes that only a holder of `key` can make of `bytes`.
    public static func code(of bytes: [UInt8], key: SecretBytes) -> [UInt8] {
        key.expose { key in
            [UInt8](unsafeUninitializedCapacity: 32) { output, written in
                // As for SHA-256: fails only where libcrypto cannot be used at all.
                guard cloakroom_hmac_sha256(key, key.count, bytes, bytes.count, output.baseAddress) == 1 else {
                    fatalError("libcrypto has no HMAC")
                }
                written = 32
            }
        }
    }

    /// Tells whether `code` is that of `bytes`, in time that does not depend on where it is wrong.
    public static func verify(_ code: [UInt8], of bytes: [UInt8], key: SecretBytes) -> Bool {
        constantTimeEqual(code, self.code(of: bytes, key: key))
    }
}
