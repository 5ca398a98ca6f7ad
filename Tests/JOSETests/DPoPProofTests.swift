import Formats
import Secrets
import Testing

@testable import JOSE

/// RFC 9449 § 4, § 7 and § 8.
@Suite struct DPoPProofTests {
    private let key = SigningKey.makeP256()

    private func proof(_ url: String = "https://as.example.com/token", nonce: String? = nil, token: AccessToken? = nil)
        throws -> (header: [String: JSONValue], claims: [String: JSONValue])
    {
        let proof = try #require(
            DPoPProof.make(key, method: "POST", url: url, nonce: nonce, accessToken: token, now: TestTime.now))
        let publicKey = try #require(VerificationKey(jwk: key.publicJWK))
        #expect(try JSONWebSignature(proof).isSigned(by: publicKey, with: .ES256))
        return try Forge.parts(proof)
    }

    /// § 4.2.
    @Test func `a proof names its request and brings its public key`() throws {
        let (header, claims) = try proof()
        #expect(Set(header.keys) == ["alg", "typ", "jwk"])
        #expect(header["typ"] == .string("dpop+jwt") && header["alg"] == .string("ES256"))
        #expect(header["jwk"] == .object(key.publicJWK.mapValues { .string($0) }))
        #expect(Set(claims.keys) == ["jti", "htm", "htu", "iat"])
        #expect(claims["htm"] == .string("POST") && claims["htu"] == .string("https://as.example.com/token"))
        #expect(claims["iat"] == .number(Double(TestTime.now.milliseconds / 1000)))
        #expect(try #require(claims["jti"]?.string.flatMap { Base64URL.decode($0) }).count == 16)
    }

    @Test func `a proof holds no private half`() throws {
        guard case .object(let jwk)? = try proof().header["jwk"] else { return #expect(Bool(false)) }
        #expect(Set(jwk.keys) == ["kty", "crv", "x", "y"])
    }

    @Test(arguments: [
        "https://as.example.com/token?a=b", "https://as.example.com/token#f", "https://as.example.com/token?a#b?c",
        "https://as.example.com/token?",
    ])
    func `query and fragment are left out`(_ url: String) throws {
        #expect(try proof(url).claims["htu"] == .string("https://as.example.com/token"))
    }

    /// § 8.
    @Test func `the server's nonce is repeated`() throws {
        #expect(try proof(nonce: "eyJ7S_zG.eyJH0-Z").claims["nonce"] == .string("eyJ7S_zG.eyJH0-Z"))
    }

    /// § 7.1, figure 13: the access token of the example and its hash.
    @Test func `the access token is bound by its digest`() throws {
        let token = AccessToken("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU")
        #expect(try proof(token: token).claims["ath"] == .string("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"))
    }

    @Test func `no two proofs are one`() throws {
        let ids = try (0..<50).map { _ in try proof().claims["jti"] }
        #expect(Set(ids).count == 50)
    }
}
