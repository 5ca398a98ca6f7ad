import Broker
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Secrets
import Testing

/// The addresses that providers redirect to, as a router sees them.
@Suite struct RedirectTests {
    private let json: HTTPFields = [.accept: "application/json"]

    @Test(arguments: ["", "/"])
    func `a slash at the end means the same`(_ slash: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            let started = try await fixture.authorize(client)
            let answer = try await client.get("\(started.callback)\(slash)?code=c&state=\(started.state)")
            #expect(answer.status == .found)
        }
    }

    @Test(arguments: [
        "", "/", "/nothing", "/example_issuer", "/Example", "/example/AAAAAAAAAAAAAAAAAAAAAA", "/exampl%65",
        "/\(String(repeating: "a", count: 4000))", "/example/\(String(repeating: "a", count: 4000))",
    ])
    func `at an address that is not its flow's own a callback is invalid and spends nothing`(
        _ path: String
    ) async throws {
        let fixture = try await Fixture()
        let json = json
        try await fixture.run { client async throws in
            let started = try await fixture.authorize(client)
            let query = "code=c&state=\(started.state)"
            let answer = try await client.get("/oauth/callback\(path)?\(query)", json)
            #expect(answer.status == .badRequest)
            #expect(answer.code == "invalid_state")
            let page = try await client.get("/oauth/callback\(path)?\(query)")
            #expect(page.status == .badRequest)
            #expect(page.headers[.contentType]?.hasPrefix("text/html") == true)
            let posted = try await client.execute(
                uri: "/oauth/callback\(path)", method: .post,
                headers: [.contentType: "application/x-www-form-urlencoded", .accept: "application/json"],
                body: ByteBuffer(string: query))
            #expect(posted.code == "invalid_state")
            #expect(fixture.provider.requests.isEmpty)
            #expect(try await client.get("\(started.callback)?\(query)").status == .found)
        }
    }

    @Test(arguments: ["/oauth/callbacks", "/oauth/callback/a/b/c", "/oauth/callback.example"])
    func `what is no redirect address is at no address`(_ path: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in #expect(try await client.get(path).status == .notFound) }
    }

    @Test func `a redirect address takes what the bare one takes`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            for path in ["/oauth/callback/example", "/oauth/callback/example/AAAAAAAAAAAAAAAAAAAAAA"] {
                let refused = try await client.execute(uri: path, method: .put)
                #expect(refused.status == .methodNotAllowed)
                #expect(refused.headers[.allow] == "GET, HEAD, OPTIONS, POST")
                #expect(try await client.execute(uri: path, method: .head).status == .ok)
            }
        }
    }

    @Test func `logs and metrics have the template and nothing that was sent`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            for path in ["s3cret", "s3cret/h4ndle", "s3cret/"] { _ = try await client.get("/oauth/callback/\(path)") }
            let texts = [fixture.lines.all, fixture.figures.registry.text]
            for text in texts {
                #expect(text.contains("/oauth/callback/{name}/{handle}"))
                #expect(!text.contains("s3cret"))
                #expect(!text.contains("h4ndle"))
            }
        }
    }

    @Test func `under a public address with a path the redirect addresses are under it`() async throws {
        let fixture = try await Fixture(publicURL: "https://example.com/broker")
        try await fixture.run { client async throws in
            let started = try await fixture.authorize(client)
            #expect(started.callback == "/broker/oauth/callback/example")
            // A proxy may strip it.
            let answer = try await client.get("/oauth/callback/example/?code=c&state=\(started.state)")
            #expect(answer.status == .found)
        }
    }
}
