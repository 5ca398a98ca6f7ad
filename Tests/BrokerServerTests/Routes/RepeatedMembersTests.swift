import Broker
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Secrets
import Testing

/// A member that comes twice is read by one as the first and by another as the second: a proxy, a log or a filter
/// before the broker may have seen the other (RFC 6749 § 3.1, RFC 8259 § 4).
@Suite struct RepeatedMembersTests {
    private static let credentials = "/v1/tenants/acme/assets:oauthCredentials"
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    private func post(
        _ client: some TestClientProtocol, _ uri: String, _ body: String, token: String? = nil,
        method: HTTPRequest.Method = .post
    ) async throws -> TestResponse {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let token { headers[.authorization] = "Bearer \(token)" }
        return try await client.execute(uri: uri, method: method, headers: headers, body: ByteBuffer(string: body))
    }

    private func expectRefused(_ answer: TestResponse) {
        #expect(answer.status == .badRequest && answer.code == "invalid_request")
    }

    @Test func `a key or a verifier that comes twice redeems nothing, and spends nothing`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            let begun = try await fixture.connect(client, ["exchangeChallenge": .string(Self.challenge)])
            let key = try #require(begun["credentialKey"])
            let verifier = "exchangeVerifier=\(Self.verifier)"
            for query in [
                "credentialKey=\(key)&credentialKey=\(key)&\(verifier)", "credentialKey=\(key)&\(verifier)&\(verifier)",
                "credentialKey=\(key)&credentialKey=x&\(verifier)",
                "credentialKey=x&credential%4Bey=\(key)&\(verifier)",
                "credentialKey=\(key)&\(verifier)&exchangeVerifier=", "credentialKey&credentialKey=\(key)&\(verifier)",
            ] {
                expectRefused(try await client.get("\(Self.credentials)?\(query)"))
            }
            for body in [
                #"{"credentialKey":"\#(key)","exchangeVerifier":"\#(Self.verifier)","credentialKey":"\#(key)"}"#,
                #"{"credentialKey":"x","exchangeVerifier":"\#(Self.verifier)","credential\u004bey":"\#(key)"}"#,
                #"{"exchangeVerifier":"x","credentialKey":"\#(key)","exchangeVerifier":"\#(Self.verifier)"}"#,
            ] {
                expectRefused(try await post(client, Self.credentials, body))
            }
            let answer = try await client.get("\(Self.credentials)?credentialKey=\(key)&\(verifier)&more=1&more=2")
            #expect(answer.status == .ok)
        }
    }

    @Test func `a name that Unicode takes for another is another`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            let query = "credentialKey=\(key)&credential%E2%84%AAey=x"
            #expect(try await client.get("\(Self.credentials)?\(query)").status == .ok)
        }
    }

    @Test(arguments: [
        "flow=a&flow=a&exchangeVerifier=b", "flow=a&exchangeVerifier=b&exchangeVerifier=b",
    ])
    func `an outcome that is asked for twice over is not told`(_ query: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            expectRefused(try await client.get("/v1/tenants/acme/assets:oauthFlow?\(query)"))
            expectRefused(try await client.get("/oauth/frontendOrigin?flow=a&flow=a"))
        }
    }

    @Test(arguments: [
        ("credentialKeys", "tenant"), ("credentialKeys", "sourceType"), ("credentialKeys", "pageSize"),
        ("credentialKeys", "pageToken"), ("auditEvents", "tenant"), ("auditEvents", "type"), ("auditEvents", "since"),
        ("auditEvents", "pageSize"), ("auditEvents", "pageToken"),
    ])
    func `a list is not filtered by one of two values`(_ list: String, _ name: String) async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token(tenant: .null, scope: .string("broker:admin"))
        try await fixture.run { client async throws in
            expectRefused(try await client.get("/v1/admin/\(list)?\(name)=1&\(name)=1", token: token))
            #expect(try await client.get("/v1/admin/\(list)?more=1&more=2", token: token).status == .ok)
        }
    }

    @Test(arguments: [
        ("tenants/acme/assets:authorize", #"{"sourceType":"example","sourceType":"example"}"#),
        ("tenants/acme/assets:authorize", #"{"sourceType":"example","scopes":["read"],"scopes":["write"]}"#),
        (
            "tenants/acme/assets:authorize",
            #"{"sourceType":"example_host","parameters":{"subdomain":"a","subdomain":"b"}}"#
        ),
        ("tenants/acme/assets:refreshCredentials", #"{"sourceType":"example","refreshToken":"a","refreshToken":"b"}"#),
        ("tenants/acme/assets:revokeCredentials", #"{"sourceType":"example","token":"a","token":"a"}"#),
        ("admin/revocations", #"{"tenant":"acme","tenant":"other","reason":"r"}"#),
        ("admin/revocations", #"{"all":true,"reason":"r","revokeAtProvider":false,"revokeAtProvider":true}"#),
    ])
    func `a body in which a member comes twice does nothing`(_ path: String, _ body: String) async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token(scope: .string("assets:write credentials:write broker:admin"))
        try await fixture.run { client async throws in
            expectRefused(try await post(client, "/v1/\(path)", body, token: token))
        }
        #expect(fixture.provider.requests.isEmpty)
    }

    @Test func `a tenant's client is not set to one of two`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token(tenant: .null, scope: .string("broker:admin"))
        try await fixture.run { client async throws in
            let uri = "/v1/admin/tenants/acme/clients/example"
            let body = #"{"clientId":"a","clientId":"b","clientSecret":"s"}"#
            expectRefused(try await post(client, uri, body, token: token, method: .put))
            #expect(try await client.get(uri, token: token).status == .notFound)
        }
    }
}
