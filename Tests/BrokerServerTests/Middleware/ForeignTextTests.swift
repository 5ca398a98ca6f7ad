import HTTPTypes
import HummingbirdTesting
import Testing

/// Headers are ASCII: a value that is not counts as absent (RFC 9110 § 5.5). That its reading costs no time is measured
/// where nothing else runs beside it, over sockets.
@Suite struct ForeignTextTests {
    @Test func `a token that is not ASCII was not sent`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token()
        try await fixture.run { client in
            let path = "/v1/tenants/acme/assets:sourceTypes"
            let unsaid = try await client.get(path, [.authorization: "Bearer \(token)\u{E9}"])
            #expect(unsaid.status == .unauthorized)
            #expect(unsaid.headers[.wwwAuthenticate] == "Bearer realm=\"cloakroom\"")
        }
    }

    @Test func `a request id or a language that is not ASCII was not sent`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let id = try #require(HTTPField.Name("X-Request-Id"))
            #expect(try await client.get("/healthz", [id: "a\u{E9}"]).headers[id]?.utf8.count == 16)
            #expect(try await client.get("/healthz", [id: "ab"]).headers[id] == "ab")
            let odd = try await client.get("/oauth/callback?state=x", [.acceptLanguage: "de,\u{E9}"])
            #expect(odd.headers[.contentLanguage] == "en")
            let german = try await client.get("/oauth/callback?state=x", [.acceptLanguage: "de"])
            #expect(german.headers[.contentLanguage] == "de")
        }
    }

    /// A K to whoever compares characters.
    @Test func `a path that is not ASCII is its bytes`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let answer = try await client.get("/v1/tenants/\u{212A}iosk/assets:sourceTypes")
            #expect(answer.status == .badRequest)
        }
    }
}
