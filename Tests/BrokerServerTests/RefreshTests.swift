import Broker
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@Suite struct RefreshTests {
    private static let uri = "/v1/tenants/acme/assets:refreshCredentials"
    private static let catalog =
        Fixture.catalog + """

              example_odd:
                displayName: Odd
                category: wiki
                provider: example
                oauth:
                  authorizationURL: https://example.com/authorize
                  tokenURL: https://example.com/token
                  refreshURL: https://example.com/refresh
                  refreshMethod: GET
                  clientAuthentication: post
                  refreshParameters:
                    grant_type: swap
                    refresh_token: null
                    client_secret: null
                    proof: "{sha256:clientSecret|refreshToken}"
                  response: { refresh: { accessToken: /a } }
            """

    private func refresh(
        _ client: some TestClientProtocol, _ fixture: Fixture, _ body: [String: JSONValue] = [:],
        scope: String = "credentials:write", tenant: String = "acme"
    ) async throws -> TestResponse {
        let members = ["sourceType": JSONValue.string("example"), "refreshToken": .string("r0")].merging(body) { $1 }
        return try await client.post(
            "/v1/tenants/\(tenant)/assets:refreshCredentials", members,
            token: try await fixture.token(tenant: .string(tenant), scope: .string(scope)))
    }

    private static func form(_ request: ProviderRequest) -> [String: String] {
        let pairs = Percent.pairs(String(decoding: request.body ?? [], as: UTF8.self)) ?? []
        return Dictionary(pairs.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// RFC 6749 § 6.
    @Test func `a refresh token gives new tokens`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            let answer = try await refresh(client, fixture)
            #expect(answer.status == .ok)
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(
                answer.json == [
                    "accessToken": .string("t0ken"), "refreshToken": .string("r3fresh"), "tokenType": .string("Bearer"),
                    "expiresAt": .number(Double(fixture.clock.now.milliseconds + 3_600_000)), "scope": .null,
                    "sourceType": .string("example"), "idToken": .null, "extras": .object([:]), "warnings": .array([]),
                ])
        }
        let request = try #require(fixture.provider.requests.first)
        #expect(Self.form(request) == ["grant_type": "refresh_token", "refresh_token": "r0"])
        #expect(request.headers.contains { $0.name == "Authorization" && $0.value.hasPrefix("Basic ") })
    }

    @Test func `where none comes back the refresh token stays`() async throws {
        let fixture = try await Fixture(
            provider: ScriptedProvider(status: 200, #"{"access_token":"a","expires_in":60}"#))
        try await fixture.run { client async throws in
            let answer = try await refresh(client, fixture)
            #expect(answer.json["refreshToken"] == .string("r0"))
            #expect(answer.json["warnings"] == .array([]))
        }
    }

    @Test func `scopes are narrowed only where the caller says so`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            _ = try await refresh(client, fixture, ["scopes": .array([.string("read")])])
        }
        #expect(Self.form(try #require(fixture.provider.requests.first))["scope"] == "read")
    }

    @Test func `a provider may take refreshes elsewhere and otherwise`() async throws {
        let fixture = try await Fixture(catalog: Self.catalog, provider: ScriptedProvider(status: 200, #"{"a":"t"}"#))
        try await fixture.run { client async throws in
            let answer = try await refresh(client, fixture, ["sourceType": .string("example_odd")])
            #expect(answer.status == .ok)
            #expect(answer.json["accessToken"] == .string("t"))
        }
        let request = try #require(fixture.provider.requests.first)
        #expect(request.method == .get)
        // printf 'client:secret|r0' | sha256sum
        let proof = "a43154372d8251814e0433a724d7886405c541ec918187d21e0235157cb2940e"
        #expect(
            request.url == "https://example.com/refresh?grant_type=swap&client_id=client%20id&proof=\(proof)")
    }

    @Test(arguments: ["invalid_grant", "bad_refresh_token"])
    func `a lost grant asks for another consent`(_ error: String) async throws {
        let fixture = try await Fixture(provider: ScriptedProvider(status: 400, #"{"error":"\#(error)"}"#))
        try await fixture.run { client async throws in
            let answer = try await refresh(client, fixture)
            #expect(answer.status == .badRequest)
            #expect(answer.code == "reauthorization_required")
        }
    }

    @Test func `trouble is told apart and how long it lasts is passed on`() async throws {
        let fixture = try await Fixture(
            provider: ScriptedProvider { _ in
                ProviderResponse(status: 429, headers: [("retry-after", "17")], body: Array("{}".utf8))
            })
        try await fixture.run { client async throws in
            let answer = try await refresh(client, fixture)
            #expect(answer.status == .badGateway)
            #expect(answer.code == "provider_rejected")
            #expect(answer.headers[.retryAfter] == "17")
        }
    }

    @Test(arguments: [
        (TransportError.timedOut, HTTPResponse.Status.gatewayTimeout, "provider_timeout"),
        (.unreachable, .badGateway, "provider_unreachable"), (.tlsFailed, .badGateway, "provider_unreachable"),
        (.malformedResponse, .badGateway, "provider_rejected"),
    ])
    func `a silent provider is told as at the callback`(
        _ error: TransportError, _ status: HTTPResponse.Status, _ code: String
    ) async throws {
        let fixture = try await Fixture(provider: ScriptedProvider { _ throws(TransportError) in throw error })
        try await fixture.run { client async throws in
            let answer = try await refresh(client, fixture)
            #expect(answer.status == status)
            #expect(answer.code == code)
            #expect(answer.headers[.retryAfter] != nil)
        }
    }

    @Test func `simultaneous refreshes make one call and so does a repeated one`() async throws {
        let fixture = try await Fixture(
            provider: ScriptedProvider { _ in
                try? await Task.sleep(for: .milliseconds(200))
                return ProviderResponse(status: 200, body: Array(#"{"access_token":"a","refresh_token":"r1"}"#.utf8))
            })
        try await fixture.run { client async throws in
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        let answer = try await refresh(client, fixture)
                        return answer.status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 == .ok } && statuses.count == 16)
            #expect(fixture.provider.requests.count == 1)
            // The answer got lost: asked for again, it is the same one.
            fixture.clock.advance(seconds: 29)
            #expect(try await refresh(client, fixture).json["refreshToken"] == .string("r1"))
            #expect(fixture.provider.requests.count == 1)
            fixture.clock.advance(seconds: 2)
            _ = try await refresh(client, fixture)
            #expect(fixture.provider.requests.count == 2)
        }
    }

    @Test func `nobody else gets the answer`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            _ = try await refresh(client, fixture)
            _ = try await refresh(client, fixture, tenant: "other")
            _ = try await refresh(client, fixture, ["refreshToken": .string("r2")])
            _ = try await refresh(client, fixture, ["scopes": .array([.string("read")])])
            _ = try await refresh(client, fixture, ["sourceType": .string("example_issuer")])
        }
        #expect(fixture.provider.requests.count == 5)
    }

    @Test func `a refused refresh is not kept`() async throws {
        let fixture = try await Fixture(provider: ScriptedProvider(status: 503, "{}"))
        try await fixture.run { client async throws in
            _ = try await refresh(client, fixture)
            _ = try await refresh(client, fixture)
        }
        #expect(fixture.provider.requests.count == 2)
    }

    @Test func `the wrong scope, source type and body are refused before the provider is asked`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            #expect(try await refresh(client, fixture, scope: "assets:write").code == "insufficient_scope")
            #expect(
                try await refresh(client, fixture, ["sourceType": .string("no_such")]).code == "unknown_source_type")
            #expect(
                try await refresh(client, fixture, ["sourceType": .string("unconfigured")]).code
                    == "source_type_not_configured")
            #expect(
                try await refresh(client, fixture, ["parameters": .object(["a": .string("b")])]).code
                    == "invalid_parameter")
            for token in ["", "a\u{7}b", String(repeating: "a", count: 16_385)] {
                #expect(try await refresh(client, fixture, ["refreshToken": .string(token)]).code == "invalid_request")
            }
            #expect(try await client.post(Self.uri, [:]).code == "invalid_token")
        }
        #expect(fixture.provider.requests.isEmpty)
    }
}
