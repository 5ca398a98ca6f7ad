import Broker
import Formats
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@Suite struct ServiceResponderTests {
    private let authorize = "/v1/tenants/acme/assets:authorize"

    @Test func `every answer has its id and its headers`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            for uri in ["/healthz", "/readyz", "/nothing", "/oauth/callback", "/connect.js", "/oauth/popup"] {
                let answer = try await client.get(uri)
                #expect(answer.headers[.init("X-Request-Id")!]?.isEmpty == false)
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                #expect(answer.headers[.init("Referrer-Policy")!] == "no-referrer")
            }
        }
    }

    @Test func `a sane request id is echoed, any other replaced`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let name = HTTPField.Name("X-Request-Id")!
            #expect(try await client.get("/healthz", [name: "abc-1.2_3"]).headers[name] == "abc-1.2_3")
            for bad in ["a b", "<x>", String(repeating: "a", count: 65)] {
                let answer = try await client.get("/healthz", [name: bad])
                #expect(answer.headers[name] != bad)
            }
        }
    }

    /// RFC 9457 § 3.
    @Test func `an error is a whole problem`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let answer = try await client.get("/nothing")
            #expect(answer.status == .notFound)
            #expect(answer.headers[.contentType] == "application/problem+json")
            let members: Set = ["type", "title", "status", "detail", "instance", "code", "requestId"]
            #expect(Set(answer.json.keys) == members)
            #expect(answer.json["instance"] == .string("/nothing"))
            #expect(answer.code == "not_found")
        }
    }

    @Test func `a known address says which methods it takes`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            for method in [HTTPRequest.Method.put, .delete, .patch, .trace, .init("FOO")!] {
                let answer = try await client.execute(uri: "/oauth/callback", method: method)
                #expect(answer.status == .methodNotAllowed)
                #expect(answer.headers[.allow] == "GET, HEAD, OPTIONS, POST")
                #expect(answer.code == "method_not_allowed")
            }
            #expect(try await client.get(authorize).status == .methodNotAllowed)
        }
    }

    @Test func `bodies are bounded, typed and parsed`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token()
        try await fixture.run { client async throws in
            @Sendable func call(_ type: String?, _ body: String) async throws -> TestResponse {
                var headers: HTTPFields = [.authorization: "Bearer \(token)"]
                headers[.contentType] = type
                return try await client.execute(
                    uri: authorize, method: .post, headers: headers, body: ByteBuffer(string: body))
            }
            let long = String(repeating: " ", count: 65_537)
            #expect(try await call("application/json", long).code == "body_too_large")
            #expect(try await call("application/json", long).status.code == 413)
            #expect(try await call("text/plain", "{}").code == "unsupported_media_type")
            #expect(try await call(nil, "{}").status.code == 415)
            for bad in [
                "", "{", "[]", "1", "\"a\"", "{\"sourceType\":\"\u{FFFD}", String(repeating: "[", count: 60_000),
            ] {
                #expect(try await call("application/json; charset=utf-8", bad).code == "invalid_request")
            }
        }
    }

    @Test func `configured origins may call, others get no leave`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let preflight: HTTPFields = [
                .origin: Fixture.origin, .accessControlRequestMethod: "POST",
                .accessControlRequestHeaders: "authorization, content-type",
            ]
            let answer = try await client.execute(uri: authorize, method: .options, headers: preflight)
            #expect(answer.status == .noContent)
            #expect(answer.headers[.accessControlAllowOrigin] == Fixture.origin)
            #expect(answer.headers[.accessControlAllowMethods] == "GET, POST")
            #expect(answer.headers[.accessControlAllowHeaders] == "Authorization, Content-Type")
            #expect(answer.headers[.accessControlAllowCredentials] == nil)
            #expect(answer.headers[.vary] == "Origin")
            // Also on errors, so that a frontend can read why.
            let refused = try await client.post(authorize, [:], [.origin: Fixture.origin])
            #expect(refused.status == .unauthorized)
            #expect(refused.headers[.accessControlAllowOrigin] == Fixture.origin)

            for origin in [
                "https://evil.example", "null", "https://app.example.com.evil.example", "HTTPS://app.example.com",
            ] {
                let foreign = try await client.post(authorize, [:], [.origin: origin])
                #expect(foreign.headers[.accessControlAllowOrigin] == nil)
            }
            // Not a secret: any page may load the script.
            for path in ["/connect.js", "/connect.d.ts"] {
                let script = try await client.get(path, [.origin: "https://anybody.example"])
                #expect(script.headers[.accessControlAllowOrigin] == "*")
            }
            // Only our own page calls this one.
            let own = try await client.execute(uri: "/oauth/popup", method: .options, headers: preflight)
            #expect(own.headers[.accessControlAllowOrigin] == nil)
        }
    }

    @Test func `an encoded colon means the same`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            #expect(try await client.get("/v1/tenants/acme/assets%3AsourceTypes").status == .unauthorized)
            #expect(try await client.get("/v1/tenants/a%20b/assets:sourceTypes").status == .badRequest)
        }
    }

    @Test func `a public address with a path is answered with and without it`() async throws {
        let fixture = try await Fixture(publicURL: "https://example.com/broker")
        try await fixture.run { client in
            #expect(try await client.get("/broker/healthz").status == .ok)
            #expect(try await client.get("/healthz").status == .ok)
            let started = try await fixture.authorize(client)
            #expect(started.query["redirect_uri"] == "https://example.com/broker/oauth/callback/example")
            let answer = try await client.get("\(started.callback)?code=c&state=\(started.state)")
            #expect(answer.headers[.location]?.hasPrefix("https://example.com/broker/oauth/success#") == true)
        }
    }

    @Test func `no line of the log holds what a request brought`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            let answer = try await client.get("\(started.callback)?code=s3cretc0de&state=\(started.state)")
            let key = try #require(answer.fragment["credentialKey"])
            _ = try await client.get("/v1/tenants/acme/assets:oauthCredentials?credentialKey=\(key)")
            let log = fixture.lines.all
            #expect(log.contains("/oauth/callback"))
            for secret in [started.state, "s3cretc0de", key, "t0ken", "r3fresh", "client:secret"] {
                #expect(!log.contains(secret))
            }
        }
    }
}
