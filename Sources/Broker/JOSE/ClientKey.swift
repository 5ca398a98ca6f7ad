import Formats
public import Secrets

/// The key that a client signs with, as it is registered at the provider.
public struct ClientKey: Sendable {
    public let key: SigningKey
    public let algorithm: SignatureAlgorithm
    /// What the provider knows the key by (RFC 7515 § 4.1.4).
    public let keyID: String?

    public init(key: SigningKey, algorithm: SignatureAlgorithm, keyID: String?) {
        self.key = key
        self.algorithm = algorithm
        self.keyID = keyID
    }

    func sign(type: String, _ claims: [String: JSONValue]) -> String? {
        var header: [(String, JSONValue)] = [("typ", .string(type))]
        if let keyID { header.append(("kid", .string(keyID))) }
        return JSONWebSignature.sign(header: header, claims: claims, with: key, algorithm)
    }
}
