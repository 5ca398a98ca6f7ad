import Formats
import Secrets
import TestSupport
import Testing

@testable import JOSE

/// RFC 9101 § 4: requests that the client signs.
@Suite struct RequestObjectTests {
    private static let parameters: [(name: String, value: String)] = [
        ("response_type", "code"), ("client_id", "client"),
        ("redirect_uri", "https://broker.example.com/oauth/callback"),
        ("state", "s\"1"), ("scope", "openid a/b"),
    ]

    private func make(_ more: [(name: String, value: String)] = [], _ pem: String = PublishedKey.p256) throws
        -> RequestObject?
    {
        RequestObject.make(
            Self.parameters + more, clientID: "client", audience: "https://issuer.example.com",
            key: try TestKey.client(pem, .ES256, keyID: "k"), now: TestTime.now)
    }

    private func claims(_ more: [(name: String, value: String)] = []) throws -> [String: JSONValue] {
        try Forge.parts(try #require(try make(more)).expose { $0 }).claims
    }

    @Test func `the parameters travel as claims, signed`() throws {
        let token = try #require(try make()).expose { $0 }
        let (header, claims) = try Forge.parts(token)
        // RFC 9101 § 10.8.
        #expect(
            header == ["alg": .string("ES256"), "typ": .string("oauth-authz-req+jwt"), "kid": .string("k")])
        for (name, value) in Self.parameters { #expect(claims[name] == .string(value)) }
        let now = Double(TestTime.now.milliseconds / 1000)
        #expect(claims["iss"] == .string("client") && claims["aud"] == .string("https://issuer.example.com"))
        #expect(claims["iat"] == .number(now) && claims["exp"] == .number(now + 300))
        #expect(try #require(claims["jti"]?.string.flatMap { Base64URL.decode($0) }).count == 16)
        #expect(claims.count == Self.parameters.count + 5)
        let key = try #require(VerificationKey(jwk: try TestKey.signing(PublishedKey.p256).publicJWK))
        #expect(try JSONWebSignature(token).isSigned(by: key, with: .ES256))
    }

    /// RFC 9101 § 4.
    @Test func `no request object is in a request object`() throws {
        let claims = try claims([("request", "a.b.c"), ("request_uri", "urn:a")])
        #expect(claims["request"] == nil && claims["request_uri"] == nil)
    }

    @Test func `a parameter cannot pass for what we say`() throws {
        let claims = try claims([("iss", "evil"), ("aud", "evil"), ("exp", "9999999999"), ("jti", "x"), ("iat", "1")])
        #expect(claims["iss"] == .string("client") && claims["aud"] == .string("https://issuer.example.com"))
        #expect(
            claims["exp"] != .string("9999999999") && claims["jti"] != .string("x") && claims["iat"] != .string("1"))
    }

    /// RFC 9101 § 4, OpenID Connect Core § 6.1.
    @Test func `numbers and JSON are such`() throws {
        let claims = try claims([("max_age", "300"), ("claims", #"{"id_token":{"acr":null}}"#), ("prompt", "1")])
        #expect(claims["max_age"] == .number(300))
        #expect(claims["claims"] == .object(["id_token": .object(["acr": .null])]))
        #expect(claims["prompt"] == .string("1"))
        #expect(try self.claims([("max_age", "soon")])["max_age"] == .string("soon"))
    }

    /// RFC 8707 § 2.1, RFC 6749 § 3.1.
    @Test func `only a resource may come twice`() throws {
        let claims = try claims([("resource", "https://a"), ("resource", "https://b"), ("resource", "https://c")])
        #expect(claims["resource"] == .array([.string("https://a"), .string("https://b"), .string("https://c")]))
        #expect(try self.claims([("resource", "https://a")])["resource"] == .string("https://a"))
        #expect(try make([("scope", "again")]) == nil)
    }

    @Test func `a key of another kind signs nothing`() throws {
        #expect(try make([], PublishedKey.rsa) == nil)
    }

    @Test func `a request object does not show`() throws {
        #expect("\(try #require(try make()))" == "[redacted RequestObject]")
    }
}
