import Secrets
import Testing

/// RFC 7518 § 6.2.2 and § 6.3.2, RFC 8037 § 2: private keys as JSON Web Keys.
@Suite struct PrivateJWKTests {
    private static let rsa = Published.privateJWKs[0]
    private static let p256 = Published.privateJWKs[1]
    private static let ed25519 = Published.privateJWKs[3]

    private static func with(_ jwk: [String: String], _ members: [String: String]) -> [String: String] {
        jwk.merging(members) { $1 }
    }

    @Test(arguments: Published.privateJWKs + [with(rsa, Published.rsaFactors)])
    func `a private key signs what its public half verifies`(_ jwk: [String: String]) throws {
        let key = try #require(SigningKey(jwk: jwk))
        #expect(key.publicJWK == jwk.filter { ["kty", "crv", "x", "y", "n", "e"].contains($0.key) })
        let publicKey = try #require(VerificationKey(jwk: jwk))
        for algorithm in key.algorithms {
            let signature = try #require(key.sign([1, 2], with: algorithm))
            #expect(publicKey.verify(signature, of: [1, 2], with: algorithm))
        }
    }

    /// RFC 7515 § A.2.1: a signature by PKCS #1 v1.5 is always the same.
    @Test func `with and without its primes an RSA key makes the published signature`() throws {
        let parts = Published.rsaToken.split(separator: ".")
        let text = Array("\(parts[0]).\(parts[1])".utf8)
        for jwk in [Self.rsa, Self.with(Self.rsa, Published.rsaFactors)] {
            let key = try #require(SigningKey(jwk: jwk))
            #expect(key.sign(text, with: .RS256) == Base64URL.decode(parts[2]))
        }
    }

    private static let other = Base64URL.encode([UInt8](repeating: 7, count: 32))
    private static let short = Base64URL.encode([UInt8](repeating: 7, count: 31))

    @Test(
        arguments: [
            [:], Published.rsaJWK, Published.p256JWK, Published.ed25519JWK, with(p256, ["d": other]),
            with(p256, ["d": short]), with(p256, ["d": ""]), with(p256, ["crv": "P-384"]), with(p256, ["kty": "OKP"]),
            with(p256, ["d": Base64URL.encode([UInt8](repeating: 0, count: 32))]),
            with(ed25519, ["d": other]), with(ed25519, ["d": short]), with(ed25519, ["x": other]),
            with(ed25519, ["crv": "X25519"]), with(rsa, ["d": other]), with(rsa, ["d": ""]), with(rsa, ["e": "Ag"]),
            // RFC 7518 § 6.3.2: all of them or none.
            with(rsa, Published.rsaFactors.filter { $0.key != "qi" }),
            with(rsa, ["p": Published.rsaFactors["p"] ?? ""]),
            with(rsa, with(Published.rsaFactors, ["p": Published.rsaFactors["q"] ?? ""])),
            with(rsa, with(Published.rsaFactors, ["d": other])),
        ] as [[String: String]])
    func `what is no private key, or whose halves do not belong together, is refused`(_ jwk: [String: String]) {
        #expect(SigningKey(jwk: jwk) == nil)
    }
}
