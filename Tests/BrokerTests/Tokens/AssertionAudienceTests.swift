import Catalog
import Formats
import JOSE
import Secrets
import Testing

@testable import Broker

/// draft-ietf-oauth-security-topics-update § 2.1: what a client signs names the server that it is for, in a way that no
/// other server can choose.
@Suite struct AssertionAudienceTests {
    private static let client = Client(
        id: "client", secret: ClientSecret("a-secret-of-more-than-thirty-two-bytes"))

    private static func audience(of assertion: String) throws -> JSONValue? {
        try StrictJSON.object(JSONWebSignature(assertion).payload)["aud"]
    }

    /// The metadata of a hostile server, which gives an honest one's addresses.
    private static func metadata(issuer: String) throws -> ProviderMetadata {
        let honest = "https://honest.example.com"
        let json = """
            {"issuer":"\(issuer)","token_endpoint":"\(honest)/token","authorization_endpoint":"\(honest)/authorize",
            "pushed_authorization_request_endpoint":"https://hostile.example.com/par",
            "require_pushed_authorization_requests":true,
            "revocation_endpoint":"https://hostile.example.com/revoke"}
            """
        return try ProviderMetadata(json: Array(json.utf8), issuer: issuer)
    }

    private func profile(_ oauth: String, addresses: String) throws -> OAuthProfile {
        try #require(try Entry.sourceType(Entry.yaml(oauth, addresses: addresses)).oauth)
    }

    private func provider(
        _ oauth: String, addresses: String, values: [String: String] = [:], metadata: ProviderMetadata? = nil
    ) throws -> Provider {
        Provider(
            try profile(oauth, addresses: addresses), values: values, metadata: metadata, now: TestTime.now)
    }

    private static let fixed = "authorizationURL: https://example.com/authorize\ntokenURL: https://example.com/token"

    @Test func `a discovered server is named by its issuer, whatever it calls its token endpoint`() throws {
        let issuer = "https://hostile.example.com"
        let provider = try provider(
            "clientAuthentication: private_key_jwt", addresses: "issuer: \(issuer)\ndiscovery: true",
            metadata: Self.metadata(issuer: issuer))
        #expect(provider.token == "https://honest.example.com/token")
        #expect(provider.assertionAudience == issuer)
    }

    @Test func `an entry's issuer comes before its token endpoint`() throws {
        let provider = try provider("issuer: https://issuer.example.com", addresses: Self.fixed)
        #expect(provider.assertionAudience == "https://issuer.example.com")
    }

    @Test func `without an issuer it is the token endpoint that the entry names`() throws {
        #expect(try provider("", addresses: Self.fixed).assertionAudience == "https://example.com/token")
        // Metadata that nobody asked for changes nothing.
        let other = try provider(
            "", addresses: Self.fixed, metadata: Self.metadata(issuer: "https://hostile.example.com"))
        #expect(other.assertionAudience == "https://example.com/token")
    }

    @Test func `a callback that tells the token endpoint's host tells no audience`() throws {
        let provider = try provider(
            """
            tokenOrigin: { callbackParameter: location, pattern: "^https://[a-z]+\\\\.example\\\\.com$" }
            """, addresses: Self.fixed, values: ["location": "https://eu.example.com"])
        #expect(provider.token == "https://eu.example.com/token")
        #expect(provider.assertionAudience == "https://example.com/token")
    }

    /// RFC 7519 § 4.1.3: whoever is one of several audiences may accept it.
    @Test(arguments: [OAuthProfile.ClientAuthentication.clientSecretJWT, .privateKeyJWT])
    func `an assertion is for one audience, as text`(_ method: OAuthProfile.ClientAuthentication) throws {
        let client = Client(
            id: "client", secret: Self.client.secret, key: JWSSigner(key: .makeP256(), algorithm: .ES256, keyID: "k"))
        let proof = ProofContext(audience: "https://issuer.example.com", now: TestTime.now)
        let assertion = try #require(proof.assertion(of: client, by: method))
        #expect(try assertion.expose { try Self.audience(of: $0) } == .string("https://issuer.example.com"))
        #expect(ProofContext(audience: nil, now: TestTime.now).assertion(of: client, by: method) == nil)
    }

    @Test func `a pushed request is signed for the issuer too`() throws {
        let issuer = "https://hostile.example.com"
        let provider = try provider(
            "clientAuthentication: client_secret_jwt", addresses: "issuer: \(issuer)\ndiscovery: true",
            metadata: Self.metadata(issuer: issuer))
        let pushed = PushedAuthorization(
            RequestParameters([("state", "s")]), to: try #require(provider.pushedAuthorization), of: provider,
            as: Self.client, now: TestTime.now)
        let body = String(decoding: pushed.http.body ?? [], as: UTF8.self)
        let members = try #require(Percent.pairs(body))
        let assertion = try #require(members.first { $0.name == "client_assertion" }?.value)
        #expect(pushed.http.url == "https://hostile.example.com/par")
        #expect(try Self.audience(of: assertion) == .string(issuer))
    }
}
