import Formats
import Secrets
import TestSupport
import Testing

@testable import JOSE

/// RFC 7523 § 3, OpenID Connect Core § 9.
@Suite struct ClientAssertionTests {
    private static let now = TestTime.now.milliseconds / 1000
    private static let secret = ClientSecret("a-secret-of-more-than-thirty-two-bytes")

    private func expectClaims(_ claims: [String: JSONValue]) throws {
        #expect(Set(claims.keys) == ["iss", "sub", "aud", "jti", "iat", "exp"])
        #expect(claims["iss"] == .string("client"))
        #expect(claims["sub"] == .string("client"))
        #expect(claims["aud"] == .string("https://issuer.example.com"))
        #expect(claims["iat"] == .number(Double(Self.now)))
        #expect(claims["exp"] == .number(Double(Self.now + 60)))
        #expect(try #require(claims["jti"]?.string.flatMap { Base64URL.decode($0) }).count == 16)
    }

    @Test func `an assertion under the secret says who asks whom, for a minute`() throws {
        let assertion = try #require(
            ClientAssertion.make(
                clientID: "client", audience: "https://issuer.example.com", secret: Self.secret, now: TestTime.now))
        let token = assertion.expose { $0 }
        let (header, claims) = try Forge.parts(token)
        #expect(header == ["alg": .string("HS256"), "typ": .string("JWT")])
        try expectClaims(claims)
        #expect(Forge.isSigned(token, with: Self.secret))
    }

    @Test(arguments: [nil, "key-1"])
    func `an assertion under a key names the key`(_ keyID: String?) throws {
        let key = try TestKey.client(PublishedKey.rsa, .PS256, keyID: keyID)
        let assertion = try #require(
            ClientAssertion.make(
                clientID: "client", audience: "https://issuer.example.com", key: key, now: TestTime.now))
        let token = assertion.expose { $0 }
        let (header, claims) = try Forge.parts(token)
        #expect(header["alg"] == .string("PS256") && header["typ"] == .string("JWT"))
        #expect(header["kid"] == keyID.map { .string($0) })
        try expectClaims(claims)
        let publicKey = try #require(VerificationKey(jwk: key.key.publicJWK))
        #expect(try JSONWebSignature(token).isSigned(by: publicKey, with: .PS256))
    }

    /// RFC 7523 § 3, 7: used once.
    @Test func `no two assertions are one`() throws {
        let ids = try (0..<100).map { _ in
            let assertion = ClientAssertion.make(clientID: "c", audience: "a", secret: Self.secret, now: TestTime.now)
            return try Forge.parts(try #require(assertion).expose { $0 }).claims["jti"]
        }
        #expect(Set(ids).count == 100)
    }

    @Test func `a secret or key that cannot sign gives none`() throws {
        #expect(
            ClientAssertion.make(clientID: "c", audience: "a", secret: ClientSecret("short"), now: TestTime.now) == nil)
        let key = try TestKey.client(PublishedKey.p256, .RS256)
        #expect(ClientAssertion.make(clientID: "c", audience: "a", key: key, now: TestTime.now) == nil)
    }

    @Test func `an assertion does not show`() throws {
        let assertion = try #require(
            ClientAssertion.make(clientID: "c", audience: "a", secret: Self.secret, now: TestTime.now))
        #expect("\(assertion)" == "[redacted ClientAssertion]")
        #expect(!"\(try TestKey.client(PublishedKey.p256, .ES256))".contains("KeyHandle"))
    }
}
