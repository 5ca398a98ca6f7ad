import COpenSSL

/// A key pair of one process, by which another can hand it a secret: whoever reads all that passes between them, and
/// learns every other key later, cannot open it (SP 800-56A, one-pass on P-256).
///
/// `@unchecked Sendable`: the pointer never changes, and libcrypto's keys may be read by many threads at once.
public final class KeyAgreement: @unchecked Sendable {
    private let key: OpaquePointer
    /// The half that others get: a point of 65 bytes.
    public let publicKey: [UInt8]

    /// A new pair, kept in memory alone.
    public init() {
        var point = [UInt8](repeating: 0, count: 65)
        guard let key = cloakroom_key_new_p256(), cloakroom_p256_point(key, &point) == 1 else {
            fatalError("libcrypto has no P-256")
        }
        self.key = key
        publicKey = point
    }

    deinit { EVP_PKEY_free(key) }

    /// The secret that only the holders of both private keys can make; `nil` where `peer` is no point on the curve.
    public func shared(with peer: [UInt8]) -> SecretBytes? {
        var secret = [UInt8](repeating: 0, count: 32)
        guard cloakroom_p256_shared(key, peer, peer.count, &secret) == 1 else { return nil }
        return SecretBytes(secret)
    }
}
