import COpenSSL

/// A private key that signs. Only `exposedPrivateJWK` gives its private half away.
public struct SigningKey: Sendable {
    private let key: KeyHandle

    /// The public half as a JSON Web Key (RFC 7517 § 4): its required members alone.
    public let publicJWK: [String: String]

    /// Reads PEM: PKCS #8, PKCS #1 or SEC 1, without passphrase.
    ///
    /// `nil` unless RSA of 2048 bits or more (RFC 7518 § 3.3), P-256, P-384, P-521, Ed25519 or Ed448, whose halves
    /// belong together.
    public init?(pem: SecretBytes) {
        self.init(KeyHandle(pem.expose { cloakroom_key_from_pem($0, $0.count) }))
    }

    init?(_ key: KeyHandle?) {
        guard let key, let publicJWK = Self.publicJWK(of: key) else { return nil }
        self.key = key
        self.publicJWK = publicJWK
    }

    /// A new key on P-256, for ES256.
    public static func makeP256() -> SigningKey {
        // As for randomness: fails only where libcrypto cannot be used at all.
        guard let key = SigningKey(KeyHandle(cloakroom_key_new_p256())) else { fatalError("libcrypto has no P-256") }
        return key
    }

    /// The algorithms that this key can sign with, the most usual first.
    public var algorithms: [SignatureAlgorithm] { key.algorithms }

    /// The signature as RFC 7518 § 3 and RFC 8037 § 3.1 have it; `nil` where the key cannot sign with the algorithm, or
    /// libcrypto failed.
    public func sign(_ bytes: [UInt8], with algorithm: SignatureAlgorithm) -> [UInt8]? {
        key.sign(bytes, with: algorithm)
    }

    /// The JWK thumbprint: SHA-256 of the public key's members, in base64url (RFC 7638 § 3; for Ed25519 and Ed448,
    /// RFC 8037 § 2).
    public var thumbprint: String { Base64URL.encode(Digest(of: Self.json(publicJWK)).bytes) }

    /// A P-256 key with its private half as a JSON Web Key (RFC 7518 § 6.2.2), for the redeemer of tokens that are
    /// bound to it (`extras.dpopKey`); `nil` for other kinds, which are the operator's own.
    public var exposedPrivateJWK: SecretBytes? {
        guard key.kind == .p256, let number = key.number("priv", width: 32) else { return nil }
        return SecretBytes(Array(Self.json(publicJWK.merging(["d": number]) { $1 }).utf8))
    }

    private static func publicJWK(of key: KeyHandle) -> [String: String]? {
        switch key.kind {
        case .rsa:
            guard let n = key.number("n", width: 0), let e = key.number("e", width: 0) else { return nil }
            return ["kty": "RSA", "n": n, "e": e]
        case .p256: return point(of: key, curve: "P-256", width: 32)
        case .p384: return point(of: key, curve: "P-384", width: 48)
        case .p521: return point(of: key, curve: "P-521", width: 66)
        case .ed25519: return key.edwardsPoint.map { ["kty": "OKP", "crv": "Ed25519", "x": $0] }
        case .ed448: return key.edwardsPoint.map { ["kty": "OKP", "crv": "Ed448", "x": $0] }
        }
    }

    /// RFC 7518 § 6.2.1.2: coordinates have the full width of their curve.
    private static func point(of key: KeyHandle, curve: String, width: Int) -> [String: String]? {
        guard let x = key.number("qx", width: width), let y = key.number("qy", width: width) else { return nil }
        return ["kty": "EC", "crv": curve, "x": x, "y": y]
    }

    /// Members in the order of their names, without white space (RFC 7638 § 3.3). No value here needs escaping.
    private static func json(_ jwk: [String: String]) -> String {
        let members = jwk.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }
        return "{" + members.joined(separator: ",") + "}"
    }
}

extension SigningKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows nothing, not even the public half.
    public var description: String { "[redacted SigningKey]" }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// Empty, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
