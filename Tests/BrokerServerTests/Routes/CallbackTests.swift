import Broker
import BrokerServer
import Formats
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing
import Transport

@Suite struct CallbackTests {
    @Test func `a good callback redirects with the key in the fragment`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let answer = try await client.get("\(started.callback)?code=c0de&state=\(started.state)")
            #expect(answer.status == .found)
            #expect(answer.headers[.cacheControl] == "no-store")
            let location = try #require(answer.headers[.location])
            #expect(location.hasPrefix("https://broker.example.com/oauth/success#credentialKey="))
            #expect(answer.fragment["sourceType"] == "example")
            #expect(answer.fragment["flow"] == started.flow)
        }
    }

    @Test func `with a returnUrl it redirects there, also on failure`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let back: [String: JSONValue] = [
                "returnUrl": .string("https://app.example.com/done?a=b"),
                "exchangeChallenge": .string("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ]
            let started = try await fixture.authorize(client, back)
            let good = try await client.get("\(started.callback)?code=c0de&state=\(started.state)")
            #expect(good.headers[.location]?.hasPrefix("https://app.example.com/done?a=b#credentialKey=") == true)

            let denied = try await fixture.authorize(client, back)
            let bad = try await client.get(
                "\(denied.callback)?error=access_denied&state=\(denied.state)", [.accept: "application/json"])
            #expect(bad.status == .found)
            let wanted = "https://app.example.com/done?a=b#error=access_denied&flow=\(denied.flow)"
            #expect(bad.headers[.location] == wanted)
        }
    }

    /// Pages and redirects tell programs nothing; the line of the request has the code, as of any other.
    @Test func `the line of a failed callback has its code and its own template`() async throws {
        let fixture = try await Fixture(limits: Limits(callbackPerAddress: 0.4))
        try await fixture.run { client in
            let denied = try await fixture.authorize(client)
            _ = try await client.get("\(denied.callback)?error=access_denied&state=\(denied.state)")
            let back = try await fixture.authorize(
                client,
                [
                    "returnUrl": .string("https://app.example.com/done"),
                    "exchangeChallenge": .string("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
                ])
            let away = try await client.get("\(back.callback)?error=login_required&state=\(back.state)")
            #expect(away.headers[.location]?.contains("#error=login_required&") == true)
            #expect(away.headers[HTTPField.Name("RateLimit")!] != nil)
            _ = try await client.get("/oauth/callback/example?code=c&state=a")
            _ = try await client.get("/oauth/callback/example/AAAAAAAAAAAAAAAAAAAAAA?code=c&state=a")
            #expect(try await client.get("/oauth/callback/example?code=c&state=a").status == .tooManyRequests)
        }
        let lines = fixture.lines.all.split(separator: "\n").filter { $0.contains("/oauth/callback") }
        let access = lines.filter { $0.hasPrefix("info request [") }
        let codes = ["access_denied", "login_required", "invalid_state", "invalid_state", "rate_limited"]
        #expect(access.count == codes.count)
        for (line, code) in zip(access, codes) { #expect(line.contains("code") && line.contains(code)) }
        // Of flows that are known the event has the reason.
        let failures = lines.filter { $0.contains("request failed") }
        #expect(failures.count == 2)
        #expect(failures.allSatisfy { $0.contains("/oauth/callback/{name}") })
        #expect(failures.map { $0.contains("/{handle}") } == [false, true])
    }

    @Test(arguments: ["", "state=", "state=a", "state=\(String(repeating: "A", count: 43))", "code=c&state=%FF"])
    func `a state that is not ours is invalid`(_ query: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let answer = try await client.get("/oauth/callback?code=c&\(query)", [.accept: "application/json"])
            #expect(answer.status == .badRequest)
            #expect(answer.code == "invalid_state")
        }
    }

    @Test func `a repeated, replayed or expired state is invalid, and the code is not sent`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let json: HTTPFields = [.accept: "application/json"]
            let twice = try await fixture.authorize(client)
            #expect(
                try await client.get("\(twice.callback)?code=c&state=\(twice.state)&state=\(twice.state)", json).code
                    == "invalid_state")

            let replayed = try await fixture.authorize(client)
            let again = "\(replayed.callback)?code=c&state=\(replayed.state)"
            #expect(try await client.get(again).status == .found)
            #expect(try await client.get(again, json).code == "invalid_state")

            let late = try await fixture.authorize(client)
            fixture.clock.advance(seconds: 601)
            #expect(try await client.get("\(late.callback)?code=c&state=\(late.state)", json).code == "invalid_state")
            #expect(fixture.provider.requests.count == 1)
        }
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let query: String
        let code: String
        var sourceType = "example"
        var testDescription: String { "\(query) → \(code)" }
    }

    @Test(arguments: [
        Bad(query: "error=access_denied", code: "access_denied"),
        Bad(query: "error=temporarily_unavailable", code: "temporarily_unavailable"),
        Bad(query: "error=%3Cscript%3E", code: "access_denied"),
        Bad(query: "", code: "invalid_callback"),
        Bad(query: "code=", code: "invalid_callback"),
        Bad(query: "code=a&error=access_denied", code: "invalid_callback"),
        Bad(query: "code=a", code: "issuer_mismatch", sourceType: "example_issuer"),
        Bad(query: "code=a&iss=https://evil.example", code: "issuer_mismatch", sourceType: "example_issuer"),
        Bad(query: "code=a&iss=https://example.com/", code: "issuer_mismatch", sourceType: "example_issuer"),
    ])
    func `a bad callback says why, spends the state and sends no code`(_ bad: Bad) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client, ["sourceType": .string(bad.sourceType)])
            let json: HTTPFields = [.accept: "application/json"]
            let answer = try await client.get("\(started.callback)?\(bad.query)&state=\(started.state)", json)
            #expect(answer.status == .badRequest)
            #expect(answer.code == bad.code)
            let good = "\(started.callback)?code=a&iss=https://example.com&state=\(started.state)"
            #expect(try await client.get(good, json).code == "invalid_state")
            #expect(fixture.provider.requests.isEmpty)
        }
    }

    /// RFC 9207 § 2.4.
    /// All that the API's description lists, but for what RFC 6749 § 4.1.2.1 has as well.
    @Test func `no code of the broker's own can come from a provider`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let document = JSONValue.object(try await client.get("/openapi.json").json)
            let listed = JSONPointer("/components/schemas/Code/enum")?.value(in: document)
            guard case .array(let codes)? = listed else {
                Issue.record("the description lists no codes")
                return
            }
            #expect(codes.count > 20)
            for code in codes.compactMap(\.string) where code != "invalid_request" {
                let started = try await fixture.authorize(client)
                let answer = try await client.get(
                    "\(started.callback)?error=\(code)&state=\(started.state)", [.accept: "application/json"])
                #expect(answer.code == "access_denied", "\(code)")
            }
        }
    }

    @Test func `the right issuer passes`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client, ["sourceType": .string("example_issuer")])
            let answer = try await client.get(
                "\(started.callback)?code=a&iss=https://example.com&state=\(started.state)")
            #expect(answer.status == .found)
        }
    }

    /// RFC 9207 § 2.4: compared as plain strings. To Unicode a Kelvin sign and a K are the same.
    @Test func `an issuer that only looks right does not pass`() async throws {
        let catalog = Fixture.catalog.replacing("issuer: https://example.com", with: "issuer: https://example.com/K")
        for (path, status) in [("%E2%84%AA", HTTPResponse.Status.badRequest), ("K", .found)] {
            let fixture = try await Fixture(catalog: catalog)
            try await fixture.run { client in
                let started = try await fixture.authorize(client, ["sourceType": .string("example_issuer")])
                let query = "code=a&iss=https://example.com/\(path)&state=\(started.state)"
                #expect(try await client.get("\(started.callback)?\(query)").status == status)
            }
        }
    }

    @Test(arguments: [
        (TransportError.timedOut, 504, "provider_timeout"), (.unreachable, 502, "provider_unreachable"),
        (.tlsFailed, 502, "provider_unreachable"), (.addressNotAllowed, 502, "provider_unreachable"),
        (.responseTooLarge, 502, "provider_rejected"), (.malformedResponse, 502, "provider_rejected"),
        (.cancelled, 503, "unavailable"),
    ])
    func `trouble on the way to the provider has its own answer`(
        _ error: TransportError, _ status: Int, _ code: String
    ) async throws {
        let provider = ScriptedProvider { _ throws(TransportError) in throw error }
        let fixture = try await Fixture(provider: provider)
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let uri = "\(started.callback)?code=c&state=\(started.state)"
            let answer = try await client.get(uri, [.accept: "application/json"])
            #expect(answer.status.code == status)
            #expect(answer.code == code)
            #expect(fixture.provider.requests.count == 1)
        }
    }

    @Test(arguments: [
        (400, #"{"error":"invalid_grant"}"#), (200, #"{"error":"invalid_grant"}"#), (500, ""), (302, ""), (200, "<p>"),
        (200, "{}"), (200, "[]"), (200, #"{"access_token":""}"#), (200, #"{"access_token":{}}"#), (401, "error=x"),
    ])
    func `an answer without tokens is a rejection`(_ status: Int, _ body: String) async throws {
        let fixture = try await Fixture(provider: ScriptedProvider(status: status, body))
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let uri = "\(started.callback)?code=c&state=\(started.state)"
            let answer = try await client.get(uri, [.accept: "application/json"])
            #expect(answer.status == .badGateway)
            #expect(answer.code == "provider_rejected")
        }
    }

    @Test func `a browser gets a page, with hostile words escaped`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let words = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
            let uri = "\(started.callback)?error=access_denied&error_description=\(words)&state=\(started.state)"
            let answer = try await client.get(uri, [.accept: "text/html"])
            #expect(answer.status == .badRequest)
            #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
            #expect(!answer.text.contains("<script>alert"))
            #expect(answer.text.contains("&lt;script&gt;alert(1)"))
            #expect(answer.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
            #expect(answer.text.contains("data-flow=\"\(started.flow)\""))
        }
    }

    /// A combining mark makes one character of two: escaping must not go by characters.
    @Test(arguments: ["%D8%80%3Cscript%3E", "%22%CC%81%20onfocus=x", "%3C%CC%81img%3E"])
    func `markup behind a combining mark is escaped too`(_ words: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let uri = "\(started.callback)?error=access_denied&error_description=\(words)&state=\(started.state)"
            // What the library would have taken for a part of a longer character.
            let page = try await client.get(uri).text.unicodeScalars
            let body = page.split(separator: ">").first { String($0).contains("data-description") }
            let quotes = body?.filter { $0 == "\"" }.count
            #expect(quotes == 8)
            #expect(
                !page.split(separator: "<").contains {
                    String($0).unicodeScalars.starts(with: "script>".unicodeScalars)
                })
        }
    }

    @Test func `a page speaks the browser's language`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let answer = try await client.get("/oauth/callback", [.acceptLanguage: "xx, de-CH;q=0.8, en;q=0.5"])
            #expect(answer.headers[.contentLanguage] == "de")
            #expect(answer.text.contains("<html lang=\"de\""))
        }
    }

    @Test func `a form post is the same callback, answered with 303`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let answer = try await client.execute(
                uri: started.callback, method: .post, headers: [.contentType: "application/x-www-form-urlencoded"],
                body: ByteBuffer(string: "code=c&state=\(started.state)"))
            #expect(answer.status == .seeOther)
            let json = try await client.post("/oauth/callback", [:])
            #expect(json.status == .unsupportedMediaType)
        }
    }

    @Test func `HEAD and prefetches spend nothing`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let uri = "\(started.callback)?code=c&state=\(started.state)"
            _ = try await client.execute(uri: uri, method: .head)
            for (name, value) in [
                ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "preview"), ("X-Purpose", "preview"),
                ("X-Moz", "prefetch"), ("Sec-Fetch-Dest", "image"), ("Sec-Fetch-Dest", "script"),
            ] {
                let ahead = try await client.get(uri, [.init(name)!: value])
                #expect(ahead.status == .serviceUnavailable, "\(name)")
            }
            #expect(fixture.provider.requests.isEmpty)
            let key = try #require(try await client.get(uri).fragment["credentialKey"])
            let redeem = "/v1/tenants/acme/assets:oauthCredentials?credentialKey=\(key)"
            #expect(try await client.execute(uri: redeem, method: .head).status == .ok)
            #expect(try await client.get(redeem, [.init("Sec-Purpose")!: "prefetch"]).status == .serviceUnavailable)
            #expect(try await client.get(redeem).status == .ok)
        }
    }

    @Test func `of 32 callbacks with one state exactly one reaches the provider`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let uri = "\(started.callback)?code=c&state=\(started.state)"
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<32 { group.addTask { try await client.get(uri).status.code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0 == 302 }.count == 1)
            #expect(answers.filter { $0 == 400 }.count == 31)
            #expect(fixture.provider.requests.count == 1)
        }
    }
}
