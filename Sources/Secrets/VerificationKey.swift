import COpenSSL

/// A public key that another party's signatures are checked with.
public struct VerificationKey: Sendable {
    private let key: KeyHandle

    /// Reads the text members of a JSON Web Key (RFC 7517 § 4); others than the key's own are not looked at.
    ///
    /// `nil` unless it is RSA (RFC 7518 § 6.3), P-256, P-384 or P-521 (§ 6.2), Ed25519 or Ed448 (RFC 8037 § 2), and
    /// sound.
    public init?(jwk: [String: String]) {
        let members = JWKMembers(jwk)
        let key: KeyHandle? =
            switch members.kind {
            case .rsa:
                members.rsa.flatMap { KeyHandle(cloakroom_key_from_rsa($0.n, $0.n.count, $0.e, $0.e.count)) }
            // libcrypto refuses points off the curve.
            case .point(let curve, let width):
                members.point(width: width).flatMap { KeyHandle(cloakroom_key_from_point(curve, $0, $0.count)) }
            case .edwards(let type, let width):
                members.bytes("x", width: width).flatMap {
                    EdwardsPoint.isOfSmallOrder($0) ? nil : KeyHandle(cloakroom_key_from_edwards(type, $0, $0.count))
                }
            case nil: nil
            }
        guard let key else { return nil }
        self.key = key
    }

    /// The algorithms that this key can check.
    public var algorithms: [SignatureAlgorithm] { key.algorithms }

    /// The same algorithm by the name that says all of it (RFC 9864 § 2.2): `EdDSA` leaves the curve to the key.
    public func specified(_ algorithm: SignatureAlgorithm) -> SignatureAlgorithm {
        switch (algorithm, key.kind) {
        case (.EdDSA, .ed448): .Ed448
        case (.EdDSA, _): .Ed25519
        default: algorithm
        }
    }

    /// Tells whether `signature` was made of `bytes` by this key's private half. The algorithm must be one for this
    /// kind of key: the signature's author does not choose it (RFC 8725 § 3.1).
    public func verify(_ signature: [UInt8], of bytes: [UInt8], with algorithm: SignatureAlgorithm) -> Bool {
        key.verify(signature, of: bytes, with: algorithm)
    }
}
