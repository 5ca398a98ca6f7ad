import Formats
import JOSE
import Secrets
import TestSupport
import Testing
import Transport

@testable import BrokerClient

@Suite struct SigningTests {
    private let clock = TestClock()
    private let broker = ScriptedBroker { number throws(TransportError) in
        TransportResponse(status: 200, body: Array(Sample.credentials.utf8))
    }

    private func client(_ pem: String = PublishedKey.p256, tenantClaim: String = "tenant") throws -> BrokerClient {
        let key = try #require(SigningKey(pem: SecretBytes(Array(pem.utf8))))
        return try Sample.client(
            broker,
            .signing(
                key, keyID: "key-1", issuer: "https://issuer.example.com", audience: "cloakroom", subject: "assets",
                tenantClaim: tenantClaim), clock: clock)
    }

    private func refresh(_ client: BrokerClient, for tenant: TenantID = Sample.tenant) async throws -> String {
        _ = try await client.refresh(RefreshToken("r"), of: "notion", for: tenant)
        return String(try #require(broker.requests.last?.header("authorization")).dropFirst("Bearer ".count))
    }

    private static func part(_ number: Int, of token: String) throws -> [String: JSONValue] {
        let parts = token.split(separator: ".")
        return try StrictJSON.object(try #require(Base64URL.decode(parts[number])))
    }

    @Test(arguments: [
        (PublishedKey.p256, SignatureAlgorithm.ES256), (PublishedKey.rsa, .RS256), (PublishedKey.ed25519, .EdDSA),
    ])
    func `a call has a token of the service's key`(_ pem: String, _ algorithm: SignatureAlgorithm) async throws {
        let token = try await refresh(try client(pem))
        let header = try Self.part(0, of: token)
        #expect(header["alg"] == .string(algorithm.rawValue) && header["kid"] == .string("key-1"))
        let key = try #require(SigningKey(pem: SecretBytes(Array(pem.utf8))))
        let publicKey = try #require(VerificationKey(jwk: key.publicJWK))
        #expect(try JSONWebSignature(token).isSigned(by: publicKey, with: algorithm))
    }

    @Test func `the token is for a minute, one tenant and just the scope of a refresh`() async throws {
        let claims = try Self.part(1, of: try await refresh(try client()))
        #expect(Set(claims.keys) == ["iss", "aud", "sub", "iat", "exp", "jti", "tenant", "scope"])
        #expect(claims["iss"] == .string("https://issuer.example.com") && claims["aud"] == .string("cloakroom"))
        #expect(claims["sub"] == .string("assets"))
        #expect(claims["iat"] == .number(1_790_000_000) && claims["exp"] == .number(1_790_000_060))
        #expect(claims["tenant"] == .string("acme") && claims["scope"] == .string("credentials:write"))
    }

    @Test func `other calls have other scopes`() async throws {
        let list = ScriptedBroker(200, #"{"items":[],"totalCount":0}"#)
        let client = try Sample.client(
            list, .signing(.makeP256(), keyID: nil, issuer: "i", audience: "a"), clock: clock)
        _ = try await client.sourceTypes(of: Sample.tenant)
        _ = try? await client.authorize(ConnectionRequest(sourceType: "notion"), for: Sample.tenant)
        let scopes = try list.requests.map { request in
            try Self.part(1, of: String(try #require(request.header("authorization")).dropFirst(7)))["scope"]
        }
        #expect(scopes == [.string("assets:read"), .string("assets:write")])
    }

    @Test func `the tenant's claim has the name that the broker's configuration gives it`() async throws {
        let claims = try Self.part(1, of: try await refresh(try client(tenantClaim: "sub")))
        #expect(claims["sub"] == .string("acme") && claims["tenant"] == nil)
    }

    @Test func `a token serves for most of its minute, and no longer`() async throws {
        let client = try client()
        let first = try await refresh(client)
        clock.advance(seconds: 44)
        #expect(try await refresh(client) == first)
        clock.advance(seconds: 1)
        #expect(try await refresh(client) != first)
    }

    @Test func `a token from a time that is yet to come does not serve`() async throws {
        let client = try client()
        let first = try await refresh(client)
        clock.advance(seconds: -1)
        #expect(try await refresh(client) != first)
    }

    @Test func `each tenant has a token of its own`() async throws {
        let client = try client()
        let first = try await refresh(client)
        let other = try await refresh(client, for: Sample.tenant("umbrella"))
        #expect(try Self.part(1, of: other)["tenant"] == .string("umbrella"))
        #expect(try await refresh(client) == first)
    }

    @Test func `the tokens that are kept are bounded`() throws {
        let tokens = ServiceTokens(
            signer: JWSSigner(key: .makeP256(), algorithm: .ES256, keyID: nil),
            claims: .init(issuer: "i", audience: "a", subject: nil, tenantClaim: "tenant", scopeClaim: "scope"))
        for number in 0..<2500 {
            #expect(
                tokens.token(for: Sample.tenant("t\(number)"), scope: .assetsRead, at: clock.now()) != nil)
        }
        #expect(tokens.count <= 1000)
    }

    @Test func `a key that cannot sign sends nothing`() async throws {
        let signer = JWSSigner(key: .makeP256(), algorithm: .RS256, keyID: nil)
        let client = try Sample.client(broker, .signing(signer, issuer: "i", audience: "a"))
        let fault = await fault { () throws(BrokerError) in
            try await client.refresh(RefreshToken("r"), of: "notion", for: Sample.tenant)
        }
        #expect(fault == .noToken(.keyCannotSign))
        #expect(broker.requests.isEmpty)
    }

    @Test func `an authorization does not show`() throws {
        expectHidden(try client().authorization, ["issuer", "SigningKey", "key-1"])
        expectHidden(BrokerAuthorization.tokenFile("/secret/path"), ["path"])
    }
}
