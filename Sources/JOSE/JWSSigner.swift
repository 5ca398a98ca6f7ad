package import Formats
public import Secrets

/// Signs JSON Web Tokens: a private key, the algorithm that it signs with, and the name by which others know it.
public struct JWSSigner: Sendable {
    /// The private key; it prints as redacted.
    public let key: SigningKey
    /// The `alg` of what is signed.
    public let algorithm: SignatureAlgorithm
    /// The `kid` (RFC 7515 § 4.1.4), where the key has one.
    public let keyID: String?

    /// Checks nothing: with an algorithm that is not the key's, `sign` gives `nil`.
    public init(key: SigningKey, algorithm: SignatureAlgorithm, keyID: String?) {
        self.key = key
        self.algorithm = algorithm
        self.keyID = keyID
    }

    /// A token of these claims; `nil` where the algorithm is not the key's.
    package func sign(type: String, claims: [String: JSONValue]) -> String? {
        var header: [(name: String, value: JSONValue)] = [("typ", .string(type))]
        if let keyID { header.append(("kid", .string(keyID))) }
        return JSONWebSignature.sign(header: header, claims: claims, key: key, algorithm: algorithm)
    }
}

extension JWSSigner {
    /// Reads a private key out of a file: PEM (PKCS #8, PKCS #1, SEC 1), or a JSON Web Key (RFC 7517 § 4), whose own
    /// `alg` and `kid` count. `nil` where it is none, or none to sign with.
    ///
    /// - Parameter keyID: the `kid` in place of the key's own.
    package init?(file: SecretBytes, keyID: String? = nil) {
        if let jwk = file.expose({ try? StrictJSON.object($0) }) {
            self.init(jwk: jwk, keyID: keyID)
        } else {
            guard let key = SigningKey(pem: file), let algorithm = key.algorithms.first else { return nil }
            self.init(key: key, algorithm: algorithm, keyID: keyID)
        }
    }

    private init?(jwk: [String: JSONValue], keyID: String?) {
        guard jwk.isKey(for: "sign"), let key = SigningKey(jwk: jwk.compactMapValues(\.string)) else { return nil }
        // Where the key is for one algorithm (§ 4.4), it is that or none.
        let algorithm = jwk["alg"].map { name in key.algorithms.first { .string($0.rawValue) == name } }
        guard let algorithm = algorithm ?? key.algorithms.first else { return nil }
        self.init(key: key, algorithm: algorithm, keyID: keyID ?? jwk["kid"]?.string)
    }
}
