import Broker
import Formats
import Foundation
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct RefreshTests {
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
        let gate = Gate()
        let fixture = try await Fixture(
            provider: ScriptedProvider { _ in
                await gate.pass()
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
                await gate.arrival()
                gate.open()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 == .ok } && statuses.count == 16)
            #expect(fixture.provider.requests.count == 1)
            // The answer got lost: asked for again, it is the same one.
            fixture.steadyClock.advance(.seconds(29))
            #expect(try await refresh(client, fixture).json["refreshToken"] == .string("r1"))
            #expect(fixture.provider.requests.count == 1)
            fixture.steadyClock.advance(.seconds(2))
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

    private static let revocable = Fixture.catalog.replacing(
        "      scopes: [read, write]",
        with: "      scopes: [read, write]\n      revocationURL: https://example.com/revoke")

    private func revoke(
        _ client: some TestClientProtocol, _ fixture: Fixture, _ revoked: String
    ) async throws -> TestResponse {
        try await client.post(
            "/v1/tenants/acme/assets:revokeCredentials",
            ["sourceType": .string("example"), "token": .string(revoked)],
            token: try await fixture.token(scope: .string("credentials:write")))
    }

    /// The refresh token that was sent, the new one, and the access token.
    @Test(arguments: ["r0", "r3fresh", "t0ken"])
    func `after a revocation of any of its tokens nobody gets an answer that was given before`(
        _ revoked: String
    ) async throws {
        let fixture = try await Fixture(catalog: Self.revocable)
        try await fixture.run { client async throws in
            _ = try await refresh(client, fixture)
            #expect(try await revoke(client, fixture, revoked).status == .noContent)
            #expect(fixture.provider.requests.count == 2)
            _ = try await refresh(client, fixture)
            #expect(fixture.provider.requests.count == 3)
        }
    }

    /// A second call would be taken for theft by a provider that rotates.
    @Test func `a revocation that the provider refused leaves the answer, one of unknown end does not`() async throws {
        let answer = #"{"access_token":"a","refresh_token":"r1"}"#
        let fixture = try await Fixture(
            catalog: Self.revocable,
            provider: ScriptedProvider { request throws(TransportError) in
                guard request.url.hasSuffix("/revoke") else {
                    return ProviderResponse(status: 200, body: Array(answer.utf8))
                }
                if String(decoding: request.body ?? [], as: UTF8.self).contains("r1") { throw .timedOut }
                return ProviderResponse(status: 400, body: Array(#"{"error":"unsupported_token_type"}"#.utf8))
            })
        try await fixture.run { client async throws in
            _ = try await refresh(client, fixture)
            #expect(try await revoke(client, fixture, "r0").code == "provider_rejected")
            _ = try await refresh(client, fixture)
            #expect(fixture.provider.requests.count == 2)
            #expect(try await revoke(client, fixture, "r1").code == "provider_timeout")
            _ = try await refresh(client, fixture)
            #expect(fixture.provider.requests.count == 4)
        }
    }

    @Test(arguments: [
        ["tenant": JSONValue.string("acme")], ["sourceType": .string("example")], ["all": .bool(true)],
    ])
    func `an operator's revocation ends the answers of its selection`(_ selection: [String: JSONValue]) async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token(tenant: .null, scope: .string("broker:admin"))
        try await fixture.run { client async throws in
            _ = try await refresh(client, fixture)
            let revoked = try await client.post(
                "/v1/admin/revocations", selection.merging(["reason": .string("r")]) { $1 }, token: token)
            #expect(revoked.status == .ok)
            _ = try await refresh(client, fixture)
            #expect(fixture.provider.requests.count == 2)
        }
    }

    @Test func `every answer given out is an event, with who asked`() async throws {
        let gate = Gate()
        let fixture = try await Fixture(
            provider: ScriptedProvider { _ in
                await gate.pass()
                return ProviderResponse(status: 200, body: Array(#"{"access_token":"a"}"#.utf8))
            })
        let admin = try await fixture.token(tenant: .null, scope: .string("broker:admin"))
        try await fixture.run { client async throws in
            func refresh(as subject: String) async throws {
                let token = try await fixture.token(
                    scope: .string("credentials:write"), changing: ["sub": .string(subject)])
                let answer = try await client.post(
                    Self.uri, ["sourceType": .string("example"), "refreshToken": .string("r0")], token: token)
                #expect(answer.status == .ok)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for subject in ["one", "two"] { group.addTask { try await refresh(as: subject) } }
                await gate.arrival()
                gate.open()
                try await group.waitForAll()
            }
            try await refresh(as: "three")
            #expect(fixture.provider.requests.count == 1)
            let events = try await client.get("/v1/admin/auditEvents?type=credentials.refreshed", token: admin)
            var items: [JSONValue] = []
            if case .array(let found)? = events.json["items"] { items = found }
            let actors = items.compactMap { item -> String? in
                if case .object(let members) = item { members["actor"]?.string } else { nil }
            }
            #expect(Set(actors) == ["one", "two", "three"] && actors.count == 3)
        }
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
