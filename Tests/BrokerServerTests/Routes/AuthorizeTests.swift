import Broker
import Formats
import Foundation
import HTTPTypes
import HummingbirdTesting
import Secrets
import Testing

@Suite struct AuthorizeTests {
    @Test func `the address carries what the flow is bound to`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            #expect(started.url.hasPrefix("https://example.com/authorize?"))
            let query = started.query
            #expect(query["response_type"] == "code")
            #expect(query["client_id"] == "client id")
            #expect(query["redirect_uri"] == "https://broker.example.com/oauth/callback/example")
            #expect(query["scope"] == "read write")
            #expect(query["code_challenge_method"] == "S256")
            #expect(query["code_challenge"]?.count == 43)
            #expect((43...64).contains(started.state.count))
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let body: [String: JSONValue]
        let status: Int
        let code: String
        var testDescription: String { "\(code): \(body)" }

        init(_ body: [String: JSONValue], _ status: Int, _ code: String) {
            self.body = body
            self.status = status
            self.code = code
        }
    }

    /// RFC 7636 appendix B.
    private static let challenge = JSONValue.string("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")

    @Test(arguments: [
        Refused([:], 400, "invalid_request"),
        Refused(["sourceType": .number(1)], 400, "invalid_request"),
        Refused(["sourceType": .string("nothing")], 400, "unknown_source_type"),
        Refused(["sourceType": .string("Example")], 400, "unknown_source_type"),
        Refused(["sourceType": .string("file")], 400, "source_type_without_oauth"),
        Refused(["sourceType": .string("unconfigured")], 409, "source_type_not_configured"),
        // No value is looked at for what could not begin.
        Refused(
            ["sourceType": .string("unconfigured"), "parameters": .object(["no": .string("such")])], 409,
            "source_type_not_configured"),
        Refused(["sourceType": .string("example_host")], 400, "invalid_parameter"),
        Refused(
            [
                "sourceType": .string("example_host"),
                "parameters": .object(["subdomain": .string(String(repeating: "a", count: 2049))]),
            ], 400, "invalid_parameter"),
        Refused(
            [
                "sourceType": .string("example"),
                "scopes": .array((0..<9).map { .string(String(repeating: "a", count: 240 + $0)) }),
            ], 400, "invalid_request"),
        Refused(
            ["sourceType": .string("example_host"), "parameters": .object(["subdomain": .string("A")])], 400,
            "invalid_parameter"),
        Refused(
            ["sourceType": .string("example_host"), "parameters": .object(["subdomain": .string("a\n")])], 400,
            "invalid_parameter"),
        Refused(
            ["sourceType": .string("example"), "parameters": .object(["extra": .string("a")])], 400,
            "invalid_parameter"),
        Refused(
            ["sourceType": .string("example"), "parameters": .object(["extra": .number(1)])], 400, "invalid_request"),
        Refused(["sourceType": .string("example"), "scopes": .string("read")], 400, "invalid_request"),
        Refused(["sourceType": .string("example"), "scopes": .array([.string("a b")])], 400, "invalid_request"),
        Refused(
            ["sourceType": .string("example"), "returnUrl": .string("https://app.example.com/done")], 400,
            "invalid_request"),
        Refused(
            [
                "sourceType": .string("example"), "returnUrl": .string("https://evil.example/"),
                "exchangeChallenge": challenge,
            ],
            400, "invalid_request"),
        Refused(
            [
                "sourceType": .string("example"), "returnUrl": .string("com.example.app:/done"),
                "exchangeChallenge": challenge,
            ], 400, "invalid_request"),
        Refused(
            [
                "sourceType": .string("example"), "returnUrl": .string("https://app.example.com@evil.example/"),
                "exchangeChallenge": challenge,
            ], 400,
            "invalid_request"),
        Refused(
            [
                "sourceType": .string("example"), "returnUrl": .string("https://app.example.com/#a"),
                "exchangeChallenge": challenge,
            ], 400,
            "invalid_request"),
        Refused(
            [
                "sourceType": .string("example"), "returnUrl": .string("https://app.example.com\\@evil.example"),
                "exchangeChallenge": challenge,
            ], 400,
            "invalid_request"),
        Refused(
            ["sourceType": .string("example"), "returnUrl": .string("/connected"), "exchangeChallenge": challenge], 400,
            "invalid_request"),
        Refused(["sourceType": .string("example"), "exchangeChallenge": .string("short")], 400, "invalid_request"),
        Refused(
            ["sourceType": .string("example"), "frontendOrigin": .string("https://evil.example")], 400,
            "invalid_request"),
    ])
    func `what cannot begin is refused by name`(_ refused: Refused) async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token()
        try await fixture.run { client in
            let answer = try await client.post("/v1/tenants/acme/assets:authorize", refused.body, token: token)
            #expect(answer.status.code == refused.status)
            #expect(answer.code == refused.code)
        }
    }

    @Test func `unknown members are ignored`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in _ = try await fixture.authorize(client, ["later": .bool(true)]) }
    }

    @Test func `a caller's scopes replace the source type's own`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client, ["scopes": .array([.string("read")])])
            #expect(started.query["scope"] == "read")
        }
    }

    @Test func `a parameter fills its place in both addresses`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(
                client,
                ["sourceType": .string("example_host"), "parameters": .object(["subdomain": .string("team")])])
            #expect(started.url.hasPrefix("https://team.example.com/authorize?"))
            _ = try await client.get("\(started.callback)?code=c&state=\(started.state)")
            #expect(fixture.provider.requests.first?.url == "https://team.example.com/token")
        }
    }

    /// RFC 7636 § 4.6: the provider compares the hash of the verifier with the challenge it was sent.
    @Test func `the verifier that is sent belongs to the challenge`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            _ = try await client.get("\(started.callback)?code=c0de&state=\(started.state)")
            let request = try #require(fixture.provider.requests.first)
            let body = String(decoding: request.body ?? [], as: UTF8.self)
            let members = Dictionary(uniqueKeysWithValues: (Percent.pairs(body) ?? []).map { ($0.name, $0.value) })
            let verifier = try #require(members["code_verifier"])
            #expect(Base64URL.encode(Digest(of: verifier).bytes) == started.query["code_challenge"])
            #expect(members["grant_type"] == "authorization_code")
            #expect(members["code"] == "c0de")
            #expect(members["redirect_uri"] == "https://broker.example.com/oauth/callback/example")
            // RFC 6749 § 2.3.1: each part is form-encoded before base 64.
            let pair = Data("client%20id:client%3Asecret".utf8).base64EncodedString()
            #expect(request.headers.contains { $0.name == "Authorization" && $0.value == "Basic \(pair)" })
        }
    }

    @Test func `source types are listed in order, with what they need`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token(scope: .string("assets:read"))
        try await fixture.run { client in
            let answer = try await client.get("/v1/tenants/acme/assets:sourceTypes", token: token)
            guard case .array(let items)? = answer.json["items"] else {
                Issue.record("no items")
                return
            }
            let types = items.compactMap { item -> String? in
                if case .object(let members) = item { members["type"]?.string } else { nil }
            }
            #expect(types == types.sorted())
            #expect(answer.json["totalCount"] == .number(Double(types.count)))
            #expect(types.contains("file"))
            let host = items.first { JSONPointer.member("type").value(in: $0) == .string("example_host") }
            let pattern = JSONPointer("/oauth/parameters/0/pattern").flatMap { pointer in
                host.flatMap { pointer.value(in: $0) }
            }
            #expect(pattern == .string("^[a-z]{1,9}$"))
        }
    }

    /// RFC 9126 § 2.3: the error of a pushed request, of a provider that repeats what it was sent.
    @Test(arguments: ["basic", "post"], ["Zk83hQ.wPz_71-XyA9dLmQ04rT", "hunter_two_three"])
    func `a pushed request whose error repeats the client secret tells nobody`(
        _ authentication: String, _ secret: String
    ) async throws {
        let catalog = """
            sourceTypes:
              example:
                displayName: Example
                category: wiki
                oauth:
                  authorizationURL: https://example.com/authorize
                  tokenURL: https://example.com/token
                  pushedAuthorizationURL: https://example.com/par
                  clientAuthentication: \(authentication)
            """
        let fixture = try await Fixture(
            catalog: catalog, clients: ["example": Client(id: "client", secret: ClientSecret(secret))],
            provider: ScriptedProvider(status: 400, #"{"error":"\#(secret)"}"#))
        let token = try await fixture.token()
        try await fixture.run { client in
            let answer = try await client.post(
                "/v1/tenants/acme/assets:authorize", ["sourceType": .string("example")], token: token)
            #expect(answer.code == "provider_rejected")
            #expect(!answer.text.contains(secret))
        }
        #expect(fixture.lines.all.contains("the pushed authorization request: answered 400 with the error"))
        #expect(!fixture.lines.all.contains(secret))
    }
}
