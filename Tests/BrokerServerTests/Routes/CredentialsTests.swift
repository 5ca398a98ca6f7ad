import Broker
import Formats
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Secrets
import Testing

@Suite struct CredentialsTests {
    static let verifier = String(repeating: "v", count: 43)
    static let challenge: JSONValue = .string(CodeChallenge(of: ExchangeVerifier(verifier)).text)

    private func redeem(
        _ client: some TestClientProtocol, _ key: String, tenant: String = "acme", verifier: String? = nil
    ) async throws -> TestResponse {
        var members: [String: JSONValue] = ["credentialKey": .string(key)]
        if let verifier { members["exchangeVerifier"] = .string(verifier) }
        return try await client.post("/v1/tenants/\(tenant)/assets:oauthCredentials", members)
    }

    @Test func `a key gives the credentials once`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            let uri = "/v1/tenants/acme/assets:oauthCredentials?credentialKey=\(key)"
            let answer = try await client.get(uri)
            #expect(answer.status == .ok)
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(
                answer.json == [
                    "accessToken": .string("t0ken"), "refreshToken": .string("r3fresh"), "tokenType": .string("Bearer"),
                    "expiresAt": .number(Double(fixture.clock.now.milliseconds + 3_600_000)), "scope": .null,
                    "sourceType": .string("example"), "idToken": .null, "extras": .object([:]), "warnings": .array([]),
                ])
            let again = try await client.get(uri)
            #expect(again.status == .badRequest)
            #expect(again.code == "invalid_credential_key")
        }
    }

    @Test func `every kind of bad key has one answer`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let used = try #require(try await fixture.connect(client)["credentialKey"])
            #expect(try await redeem(client, used).status == .ok)
            let bound = try #require(
                try await fixture.connect(client, ["exchangeChallenge": Self.challenge])["credentialKey"])
            let late = try #require(try await fixture.connect(client)["credentialKey"])
            var answers = [
                try await redeem(client, "x"), try await redeem(client, "ckr_" + String(repeating: "A", count: 43)),
                try await redeem(client, used), try await redeem(client, bound),
                try await redeem(client, bound, verifier: String(repeating: "w", count: 43)),
                try await redeem(client, bound, verifier: ""),
                try await client.post("/v1/tenants/acme/assets:oauthCredentials", [:]),
                try await client.post("/v1/tenants/acme/assets:oauthCredentials", ["credentialKey": .number(1)]),
            ]
            fixture.clock.advance(seconds: 301)
            answers.append(try await redeem(client, late))
            for answer in answers {
                #expect(answer.status == .badRequest)
                var body = answer.json
                body["requestId"] = nil
                var first = answers[0].json
                first["requestId"] = nil
                #expect(body == first)
            }
        }
    }

    @Test func `a wrong tenant or verifier does not spend the key`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let key = try #require(
                try await fixture.connect(client, ["exchangeChallenge": Self.challenge])["credentialKey"])
            #expect(try await redeem(client, key, tenant: "other", verifier: Self.verifier).status == .badRequest)
            #expect(try await redeem(client, key, verifier: "wrong").status == .badRequest)
            #expect(try await redeem(client, key).status == .badRequest)
            #expect(try await redeem(client, key, verifier: Self.verifier).status == .ok)
        }
    }

    @Test func `a verifier for a credential key without challenge is ignored`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            #expect(try await redeem(client, key, verifier: "anything").status == .ok)
        }
    }

    @Test func `of 64 redemptions of one key exactly one gets the credentials`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<64 { group.addTask { try await redeem(client, key).status.code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 400 }.count == 63)
        }
    }

    @Test(arguments: [
        (#"{"access_token":"t","expires_in":60}"#, ["missing_refresh_token"]),
        (#"{"access_token":"t","refresh_token":"r"}"#, ["expiry_unknown"]),
        (#"{"access_token":"t","refresh_token":"r","expires_in":60,"scope":"a"}"#, ["scope_reduced"]),
        (#"{"access_token":"t","refresh_token":"r","expires_in":60,"scope":"b a c"}"#, []),
        (#"{"access_token":"t","refresh_token":"r","expires_in":"60","scope":"a,b"}"#, []),
    ])
    func `warnings tell what will hurt later`(_ body: String, _ warnings: [String]) async throws {
        let catalog = """
            sourceTypes:
              example:
                displayName: Example
                category: wiki
                oauth:
                  authorizationURL: https://example.com/authorize
                  tokenURL: https://example.com/token
                  scopes: [a, b]
                  refreshToken: expected
            """
        let fixture = try await Fixture(catalog: catalog, provider: ScriptedProvider(status: 200, body))
        try await fixture.run { client in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            let answer = try await redeem(client, key)
            #expect(answer.json["warnings"] == .array(warnings.map { .string($0) }))
        }
    }

    // MARK: assets:oauthFlow

    private func bind(
        _ client: some TestClientProtocol, _ flow: String, verifier: String = CredentialsTests.verifier,
        origin: String = Fixture.origin, headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await client.post(
            "/oauth/popup",
            [
                "flow": .string(flow), "exchangeVerifier": .string(verifier), "frontendOrigin": .string(origin),
            ], headers)
    }

    private func outcome(
        _ client: some TestClientProtocol, _ flow: String, verifier: String = CredentialsTests.verifier,
        tenant: String = "acme"
    ) async throws -> [String: JSONValue] {
        try await client.get("/v1/tenants/\(tenant)/assets:oauthFlow?flow=\(flow)&exchangeVerifier=\(verifier)").json
    }

    @Test func `the outcome is told to whoever began the flow in this browser`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client, ["exchangeChallenge": Self.challenge])
            let bound = try await bind(client, started.flow)
            #expect(bound.status == .noContent)
            let cookie = try #require(bound.headers[.setCookie])
            #expect(cookie.hasPrefix("__Host-cloakroom_flow_\(started.flow)="))
            for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] { #expect(cookie.contains(attribute)) }
            #expect(try await outcome(client, started.flow) == ["status": .string("pending")])

            let sent = String(cookie.prefix { $0 != ";" })
            let uri = "\(started.callback)?code=c&state=\(started.state)"
            let answer = try await client.get(uri, [.cookie: "a=b; \(sent)"])
            let key = try #require(answer.fragment["credentialKey"])
            let told = try await outcome(client, started.flow)
            #expect(told == ["status": .string("succeeded"), "credentialKey": .string(key)])
            #expect(try await outcome(client, started.flow, verifier: "x")["status"] == .string("pending"))
            #expect(try await outcome(client, started.flow, tenant: "other")["status"] == .string("pending"))

            #expect(try await redeem(client, key, verifier: Self.verifier).status == .ok)
            #expect(try await outcome(client, started.flow) == ["status": .string("succeeded")])
        }
    }

    @Test func `the outcome may be asked for in a body too`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client, ["exchangeChallenge": Self.challenge])
            let cookie = try #require(try await bind(client, started.flow).headers[.setCookie])
            let uri = "/v1/tenants/acme/assets:oauthFlow"
            let question: [String: JSONValue] = [
                "flow": .string(started.flow), "exchangeVerifier": .string(Self.verifier),
            ]
            #expect(try await client.post(uri, question).json == ["status": .string("pending")])
            let callback = "\(started.callback)?code=c&state=\(started.state)"
            let answer = try await client.get(callback, [.cookie: String(cookie.prefix { $0 != ";" })])
            let key = try #require(answer.fragment["credentialKey"])
            let told = try await client.post(uri, question)
            #expect(told.json == ["status": .string("succeeded"), "credentialKey": .string(key)])
            #expect(told.headers[.cacheControl] == "no-store")
            for (name, value) in [("flow", JSONValue.integer(5)), ("exchangeVerifier", .null), ("flow", .string("x"))] {
                let other = question.merging([name: value]) { $1 }
                #expect(try await client.post(uri, other).json == ["status": .string("pending")])
            }
        }
    }

    @Test func `a failure is told as well`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client, ["exchangeChallenge": Self.challenge])
            let cookie = try #require(try await bind(client, started.flow).headers[.setCookie])
            let uri = "\(started.callback)?error=access_denied&error_description=No%20thanks&state=\(started.state)"
            _ = try await client.get(uri, [.cookie: String(cookie.prefix { $0 != ";" })])
            let told = try await outcome(client, started.flow)
            #expect(
                told == [
                    "status": .string("failed"), "error": .string("access_denied"),
                    "errorDescription": .string("No thanks"),
                ])
        }
    }

    /// Somebody who mails an authorization address has the verifier, but the victim's browser has no cookie.
    @Test func `a flow that ends in another browser stays pending`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client, ["exchangeChallenge": Self.challenge])
            let forged = "__Host-cloakroom_flow_\(started.flow)=\(String(repeating: "A", count: 86))"
            _ = try await client.get("\(started.callback)?code=c&state=\(started.state)", [.cookie: forged])
            #expect(try await outcome(client, started.flow) == ["status": .string("pending")])
        }
    }

    @Test func `only the flow's own page gets the cookie`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let flow = try await fixture.authorize(client, ["exchangeChallenge": Self.challenge]).flow
            let site = HTTPField.Name("Sec-Fetch-Site")!
            let refused = [
                try await bind(client, flow, verifier: String(repeating: "w", count: 43)),
                try await bind(client, flow, origin: "https://other.example.com"),
                try await bind(client, String(repeating: "A", count: 22)),
                try await bind(client, flow, headers: [.origin: "https://app.example.com"]),
                try await bind(client, flow, headers: [site: "cross-site"]),
            ]
            for answer in refused {
                #expect(answer.status == .badRequest)
                #expect(answer.headers[.setCookie] == nil)
            }
            let own: HTTPFields = [.origin: "https://broker.example.com", site: "same-origin"]
            #expect(try await bind(client, flow, headers: own).status == .noContent)
        }
    }

    /// Else whoever asks would have the list of an operator's customers.
    @Test(arguments: ["/oauth/popup", "/oauth/success", "/connect.js"])
    func `a page that anybody may open names no frontend`(_ uri: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let answer = try await client.get(uri)
            #expect(answer.status == .ok)
            let text = String(buffer: answer.body)
            for origin in ["app.example.com", "other.example.com"] { #expect(!text.contains(origin)) }
            for (_, value) in answer.headers.map({ ($0.name, $0.value) }) {
                #expect(!value.contains("app.example.com"))
            }
        }
    }

    @Test func `the success page learns whether its key was taken, and spends nothing by asking`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            let ask = { (key: String) in
                try await client.post("/oauth/success", ["credentialKey": .string(key)]).json["taken"]
            }
            #expect(try await ask(key) == .bool(false))
            #expect(try await ask("ckr_unknown") == .bool(false))
            #expect(try await ask("") == .bool(false))
            #expect(try await redeem(client, key).status == .ok)
            for _ in 0..<3 { #expect(try await ask(key) == .bool(true)) }
        }
    }

    @Test func `another site's page learns nothing of a key`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
            for headers: HTTPFields in [
                [.origin: "https://app.example.com"], [site: "cross-site"], [site: "same-site"], [.origin: "null"],
            ] {
                let answer = try await client.post("/oauth/success", ["credentialKey": .string(key)], headers)
                #expect(answer.status == .badRequest)
            }
        }
    }

    @Test func `the success page learns where its message may go`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let origin: [String: JSONValue] = ["frontendOrigin": .string("https://other.example.com")]
            let flow = try await fixture.authorize(client, origin).flow
            #expect(try await client.get("/oauth/frontendOrigin?flow=\(flow)").json == origin)
            #expect(try await client.get("/oauth/frontendOrigin?flow=x").status == .notFound)
        }
    }
}
