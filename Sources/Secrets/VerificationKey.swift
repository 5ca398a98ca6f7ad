import COpenSSL

/// A public key that somebody else's signatures are checked with.
public struct VerificationKey: Sendable {
    private let key: KeyHandle

    /// Reads the text members of a JSON Web Key (RFC 7517); others than the key's own are not looked at.
    ///
    /// `nil` unless it is RSA (RFC 7518 § 6.3), P-256 or P-384 (§ 6.2) or Ed25519 (RFC 8037 § 2), and sound.
    public init?(jwk: [String: String]) {
        let key: KeyHandle? =
            switch (jwk["kty"], jwk["crv"]) {
            case ("RSA", _): Self.rsa(jwk)
            case ("EC", "P-256"): Self.point(jwk, curve: "P-256", width: 32)
            case ("EC", "P-384"): Self.point(jwk, curve: "P-384", width: 48)
            case ("OKP", "Ed25519"): Self.ed25519(jwk)
            default: nil
            }
        guard let key else { return nil }
        self.key = key
    }

    /// What this key can check.
    public var algorithms: [SignatureAlgorithm] { key.algorithms }

    /// Whether `signature` was made of `bytes` by this key's other half. The algorithm must be one for this kind of
    /// key: whoever wrote the signature does not choose (RFC 8725 § 3.1).
    public func verify(_ signature: [UInt8], of bytes: [UInt8], with algorithm: SignatureAlgorithm) -> Bool {
        key.verify(signature, of: bytes, with: algorithm)
    }

    private static func rsa(_ jwk: [String: String]) -> KeyHandle? {
        // Some libraries put a zero in front (RFC 7518 § 6.3.1.1).
        guard let n = decode(jwk["n"])?.drop(while: { $0 == 0 }), let e = decode(jwk["e"])?.drop(while: { $0 == 0 })
        else { return nil }
        // An even modulus has no secret, and 1 and even numbers are no exponents (RFC 8017 § 3.1). Exponents beyond
        // 64 bits only cost time. At least 2048 bits: RFC 7518 § 3.3; `KeyHandle` sees to it.
        guard let lowOfN = n.last, lowOfN & 1 == 1, n.count <= 1024, let lowOfE = e.last, lowOfE & 1 == 1,
            e.count <= 8, Array(e) != [1]
        else { return nil }
        return KeyHandle(cloakroom_key_from_rsa(Array(n), n.count, Array(e), e.count))
    }

    private static func point(_ jwk: [String: String], curve: String, width: Int) -> KeyHandle? {
        // RFC 7518 § 6.2.1.2: the full width. libcrypto refuses points off the curve.
        guard let x = decode(jwk["x"]), let y = decode(jwk["y"]), x.count == width, y.count == width else {
            return nil
        }
        let point = [0x04] + x + y
        return KeyHandle(cloakroom_key_from_point(curve, point, point.count))
    }

    private static func ed25519(_ jwk: [String: String]) -> KeyHandle? {
        guard let x = decode(jwk["x"]), x.count == 32 else { return nil }
        return KeyHandle(cloakroom_key_from_ed25519(x, x.count))
    }

    private static func decode(_ member: String?) -> [UInt8]? { member.flatMap { Base64URL.decode($0) } }
}
