import Foundation
import Secrets
import TestSupport
import Testing

@Suite struct SigningKeyTests {
    private func read(_ pem: String) -> SigningKey? { SigningKey(pem: SecretBytes(Array(pem.utf8))) }

    /// The text and the signature of a compact token.
    private func parts(_ token: String) throws -> (text: [UInt8], signature: [UInt8]) {
        let parts = token.split(separator: ".")
        return (Array("\(parts[0]).\(parts[1])".utf8), try #require(Base64URL.decode(parts[2])))
    }

    /// Signatures by PKCS #1 v1.5 and Ed25519 are always the same.
    @Test(arguments: [
        (PublishedKey.rsa, Published.rsaToken, SignatureAlgorithm.RS256),
        (Published.rsaPKCS1, Published.rsaToken, .RS256),
        (Published.cookbook, Published.cookbookRS256, .RS256),
        (PublishedKey.ed25519, Published.ed25519Token, .EdDSA),
    ])
    func `a signature is the one that the RFC publishes`(
        _ pem: String, _ token: String, _ algorithm: SignatureAlgorithm
    ) throws {
        let (text, signature) = try parts(token)
        let key = try #require(read(pem))
        #expect(key.sign(text, with: algorithm) == signature)
    }

    /// RFC 8032 § 7.4.
    @Test func `a signature by Ed448 is the one that the RFC publishes`() throws {
        let key = try #require(read(PublishedKey.ed448))
        #expect(key.sign([3], with: .Ed448) == Published.ed448Signature)
        #expect(key.sign([3], with: .EdDSA) == Published.ed448Signature)
    }

    @Test(arguments: [
        (PublishedKey.rsa, Published.rsaJWK), (Published.rsaPKCS1, Published.rsaJWK),
        (PublishedKey.p256, Published.p256JWK), (Published.p256SEC1, Published.p256JWK),
        (PublishedKey.ed25519, Published.ed25519JWK), (Published.cookbook, Published.cookbookJWK),
        (PublishedKey.p521, Published.p521JWK), (Published.cookbookP521, Published.cookbookP521JWK),
        (PublishedKey.ed448, Published.ed448JWK),
    ])
    func `the public half is the one that the RFC publishes`(_ pem: String, _ jwk: [String: String]) throws {
        let key = try #require(read(pem))
        #expect(key.publicJWK == jwk)
    }

    /// RFC 7638 § 3.1, RFC 8037 § A.3.
    @Test(arguments: [
        (Published.thumbprinted, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (PublishedKey.ed25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ])
    func `the thumbprint is the one that the RFC publishes`(_ pem: String, _ thumbprint: String) throws {
        let key = try #require(read(pem))
        #expect(key.thumbprint == thumbprint)
    }

    @Test(arguments: [
        (PublishedKey.rsa, [SignatureAlgorithm.RS256, .RS384, .RS512, .PS256, .PS384, .PS512]),
        (PublishedKey.p256, [.ES256]), (Published.p256SEC1, [.ES256]), (KeyFiles.p384, [.ES384]),
        (KeyFiles.p256AfterItsParameters, [.ES256]), (PublishedKey.p521, [.ES512]),
        (PublishedKey.ed25519, [.EdDSA, .Ed25519]), (PublishedKey.ed448, [.EdDSA, .Ed448]),
    ])
    func `a key signs with the algorithms of its kind and no other`(
        _ pem: String, _ algorithms: [SignatureAlgorithm]
    ) throws {
        let key = try #require(read(pem))
        #expect(key.algorithms == algorithms)
        let publicKey = try #require(VerificationKey(jwk: key.publicJWK))
        #expect(publicKey.algorithms == algorithms)
        for algorithm in SignatureAlgorithm.allCases {
            let signature = key.sign([1, 2, 3], with: algorithm)
            #expect((signature != nil) == algorithms.contains(algorithm))
            guard let signature else { continue }
            for other in SignatureAlgorithm.allCases {
                let isSame = publicKey.specified(other) == publicKey.specified(algorithm)
                #expect(publicKey.verify(signature, of: [1, 2, 3], with: other) == isSame)
            }
            #expect(!publicKey.verify(signature, of: [1, 2, 4], with: algorithm))
        }
    }

    @Test(arguments: Refused.all.map(\.name))
    func `other keys are refused`(_ name: String) throws {
        let refused = try #require(Refused.all.first { $0.name == name })
        #expect(read(refused.pem) == nil)
    }

    @Test(arguments: [
        "", "key", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\n!!\n-----END EC PRIVATE KEY-----", String(repeating: "A", count: 70_000),
    ])
    func `what is no key is refused`(_ pem: String) {
        #expect(read(pem) == nil)
    }

    @Test func `no cut of a key crashes`() {
        let pem = PublishedKey.p256
        for length in 0..<pem.utf8.count { _ = read(String(pem.prefix(length))) }
        #expect(read(pem) != nil)
    }

    /// RFC 7518 § 3.4: R and S at full width, though one in 256 numbers begins with a zero.
    @Test func `ECDSA signatures have one length`() throws {
        for (pem, length) in [(PublishedKey.p256, 64), (KeyFiles.p384, 96), (PublishedKey.p521, 132)] {
            let key = try #require(read(pem))
            let publicKey = try #require(VerificationKey(jwk: key.publicJWK))
            for byte in 0..<UInt8(255) {
                let signature = try #require(key.sign([byte], with: key.algorithms[0]))
                #expect(signature.count == length)
                #expect(publicKey.verify(signature, of: [byte], with: key.algorithms[0]))
            }
        }
    }

    @Test func `a made key is new, and its private half is told with d`() throws {
        let key = SigningKey.makeP256()
        #expect(key.publicJWK != SigningKey.makeP256().publicJWK)
        #expect(key.algorithms == [.ES256])
        let json = try #require(key.exposedPrivateJWK).expose { $0 }
        let jwk = try JSONDecoder().decode([String: String].self, from: Data(json))
        #expect(Set(jwk.keys) == ["kty", "crv", "x", "y", "d"])
        #expect(jwk.filter { $0.key != "d" } == key.publicJWK)
        #expect(try #require(jwk["d"].flatMap { Base64URL.decode($0) }).count == 32)
    }

    /// RFC 7515 § A.3.1.
    @Test func `the private half is the one that the RFC publishes`() throws {
        let key = try #require(read(PublishedKey.p256))
        let json = try #require(key.exposedPrivateJWK).expose { $0 }
        let jwk = try JSONDecoder().decode([String: String].self, from: Data(json))
        #expect(jwk["d"] == "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")
    }

    @Test(arguments: [PublishedKey.rsa, KeyFiles.p384, PublishedKey.p521, PublishedKey.ed25519, PublishedKey.ed448])
    func `an operator's key is not told`(_ pem: String) throws {
        let key = try #require(read(pem))
        #expect(key.exposedPrivateJWK == nil)
    }

    @Test func `a key does not show`() throws {
        let key = try #require(read(PublishedKey.p256))
        var shown = "\(key) \(String(reflecting: key)) \(String(describing: Optional(key)))"
        dump([key], to: &shown)
        let x = try #require(Published.p256JWK["x"])
        #expect(!shown.contains("jpsQnnGQ") && !shown.contains(x) && !shown.contains("KeyHandle"))
        #expect(Mirror(reflecting: key).children.isEmpty)
        #expect(!(SigningKey.self is any Encodable.Type))
    }

    /// One key, many threads: what `@unchecked Sendable` promises.
    @Test func `many may sign with one key at once`() async throws {
        let key = try #require(read(PublishedKey.rsa))
        let expected = key.sign([7], with: .RS256)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 { group.addTask { key.sign([7], with: .RS256) == expected } }
            for await same in group { #expect(same) }
        }
    }
}

/// Keys made for these tests.
enum KeyFiles {
    static let p384 = """
        -----BEGIN PRIVATE KEY-----
        MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAiXKHWf6ZkCaxSGWo7
        +MqH8JWb8SbUyio/DO+Y/QyX4/sXxDyBaKtv7PcuwiuAHlyhZANiAASuloQPzt3s
        0SSeTW6nq1SMtkSH5VbjdZ50FlMkchxC99Nbr3Hi5cJyp693cd8+wvzZnAE4Z4PF
        /FSXpW1TJxWRbug7wMWzikTtmiqJvm8cKvWolkjJttoXJo6cnj0OtMw=
        -----END PRIVATE KEY-----
        """

    /// As `openssl ecparam -genkey` writes it.
    static let p256AfterItsParameters = """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIJcjkOq2FlbqZFAMG4eiCu7octt39DyV61qxcJg1iWNSoAoGCCqGSM49
        AwEHoUQDQgAEb2RKCaVV+yDV1GD1mNy4qNczwsQqlLLjBLjPOIsaOWnB/tJ9W/2C
        EWbpalGcJWKkwdATSH5XC1CoYIDJ+EB6Ng==
        -----END EC PRIVATE KEY-----
        """
}
