import Formats
import Secrets
import Testing

@testable import JOSE

/// Private keys that anyone may know, one for each kind.
enum TestKey {
    /// Made for this test.
    static let p384 = """
        -----BEGIN PRIVATE KEY-----
        MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAiXKHWf6ZkCaxSGWo7
        +MqH8JWb8SbUyio/DO+Y/QyX4/sXxDyBaKtv7PcuwiuAHlyhZANiAASuloQPzt3s
        0SSeTW6nq1SMtkSH5VbjdZ50FlMkchxC99Nbr3Hi5cJyp693cd8+wvzZnAE4Z4PF
        /FSXpW1TJxWRbug7wMWzikTtmiqJvm8cKvWolkjJttoXJo6cnj0OtMw=
        -----END PRIVATE KEY-----
        """

    static func signing(_ pem: String) throws -> SigningKey {
        try #require(SigningKey(pem: SecretBytes(Array(pem.utf8))))
    }

    static func client(_ pem: String, _ algorithm: SignatureAlgorithm, keyID: String? = nil) throws -> JWSSigner {
        JWSSigner(key: try signing(pem), algorithm: algorithm, keyID: keyID)
    }

    /// A key set with the public halves of these keys.
    static func set(_ keys: [(pem: String, more: [String: JSONValue])]) throws -> JSONWebKeySet {
        let jwks = try keys.map { key in
            JSONValue.object(try signing(key.pem).publicJWK.mapValues { .string($0) }.merging(key.more) { $1 })
        }
        return try #require(JSONWebKeySet(json: Forge.json(.object(["keys": .array(jwks)]))))
    }
}
