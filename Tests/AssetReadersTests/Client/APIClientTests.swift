import Assets
import Formats
import Secrets
import Testing
import Transport

@testable import AssetReaders

@Suite struct APIClientTests {
    private let sources = TestSources()
    private var transport: ScriptedTransport { sources.transport }

    private func api(_ tokens: (any AccessTokenSource)?, at address: String = "https://api.example") throws -> APIClient
    {
        APIClient(
            client: sources.client(), address: try #require(StrictURL(address)), tokens: tokens, name: "Example",
            headers: [("accept", "application/json")])
    }

    @Test func `a request has the address's prefix, encoded segments, query, headers and token`() async throws {
        transport.answer("https://api.example:8443/v3/a%2Fb/c%20d?x=y%26z", .status(200))
        let api = try api(TestTokens("one"), at: "https://api.example:8443/v3/")
        #expect(try await api.get(["a/b", "c d"], query: [("x", "y&z")]).status == 200)
        #expect(transport.headers("authorization", to: transport.urls[0]) == ["Bearer one"])
        #expect(transport.headers("accept", to: transport.urls[0]) == ["application/json"])
    }

    @Test func `a POST carries JSON`() async throws {
        transport.answer("https://api.example/search", .status(200))
        _ = try await api(nil).post(["search"], .object(["a": .number(1)]))
        #expect(transport.requests[0].method == .post)
        #expect(transport.requests[0].body == Array(#"{"a":1}"#.utf8))
        #expect(transport.headers("content-type", to: transport.urls[0]) == ["application/json"])
    }

    @Test func `without tokens nothing is sent along`() async throws {
        transport.answer("https://api.example/a", .status(200))
        _ = try await api(nil).get(["a"])
        #expect(transport.headers("authorization", to: transport.urls[0]) == [nil])
    }

    @Test func `a refused token is replaced once`() async throws {
        transport.answer("https://api.example/a", .status(401), .status(200))
        let tokens = TestTokens("old", "new")
        #expect(try await api(tokens).get(["a"]).status == 200)
        #expect(tokens.refused == ["old"])
        #expect(transport.headers("authorization", to: transport.urls[0]) == ["Bearer old", "Bearer new"])
    }

    @Test func `a token that is refused again means that somebody has to connect again`() async throws {
        transport.answer("https://api.example/a", .status(401))
        let (tokens, sources) = (TestTokens("old", "new", "newer"), try api(TestTokens("x")))
        let api = APIClient(
            client: sources.client, address: sources.address, tokens: tokens, name: "Example", headers: [])
        #expect(await fault { () async throws(SourceFault) in try await api.get(["a"]) } == .reauthorizationRequired)
        #expect(tokens.refused == ["old"])
        #expect(transport.requests.count == 2)
    }

    @Test func `401 to nobody's credentials asks for some`() async throws {
        transport.answer("https://api.example/a", .status(401))
        let api = try api(nil)
        #expect(await fault { () async throws(SourceFault) in try await api.get(["a"]) } == .reauthorizationRequired)
    }

    @Test(arguments: ["a\nb", "a\u{0}", "ä"])
    func `a token that no header can hold is sent nowhere`(_ token: String) async throws {
        let api = try api(TestTokens(token))
        #expect(await fault { () async throws(SourceFault) in try await api.get(["a"]) } == .reauthorizationRequired)
        #expect(transport.requests.isEmpty)
    }

    @Test func `a redirect within the origin keeps the token`() async throws {
        transport.answer("https://api.example/old", .redirect("/new", 301))
        transport.answer("https://api.example/new", .status(200))
        #expect(try await api(TestTokens("one")).get(["old"]).status == 200)
        #expect(transport.headers("authorization", to: "https://api.example/new") == ["Bearer one"])
    }

    @Test func `an address that is longer than others may be is ours all the same`() async throws {
        let (api, token) = (try api(TestTokens("one")), String(repeating: "t", count: 3000))
        _ = try await api.get(["a"], query: [("pageToken", token)])
        #expect(transport.headers("authorization", to: "https://api.example/a?pageToken=\(token)") == ["Bearer one"])
    }

    @Test func `a refusal of another origin is none of the credentials`() async throws {
        transport.answer("https://api.example/a", .redirect("https://other.example/x", 307))
        transport.answer("https://other.example/x", .status(401))
        let tokens = TestTokens("one", "two")
        let api = try api(tokens)
        #expect(
            await fault { () async throws(SourceFault) in try await api.get(["a"]) }
                == .rejected("Example answered 401"))
        #expect(tokens.refused.isEmpty)
    }

    @Test(arguments: [
        "https://other.example/x", "http://api.example/x", "https://api.example:8443/x", "//other.example/x",
        "https://api.example.other.example/x",
    ])
    func `a redirect to another origin is followed without the token`(_ target: String) async throws {
        transport.answer("https://api.example/a", .redirect(target, 307))
        _ = try await api(TestTokens("one")).get(["a"])
        #expect(transport.requests.count == 2)
        #expect(transport.headers("authorization", to: transport.urls[1]) == [nil])
    }

    @Test func `a way back to the origin has the token again`() async throws {
        transport.answer("https://api.example/a", .redirect("https://other.example/"))
        transport.answer("https://other.example/", .redirect("https://api.example/b"))
        transport.answer("https://api.example/b", .status(200))
        #expect(try await api(TestTokens("one")).get(["a"]).status == 200)
        #expect(transport.headers("authorization", to: "https://api.example/b") == ["Bearer one"])
    }

    @Test func `redirects end after five`() async throws {
        transport.answer("https://api.example/a", .redirect("/a"))
        let api = try api(nil)
        #expect(
            await fault { () async throws(SourceFault) in try await api.get(["a"]) }
                == .rejected("Example redirects too often"))
        #expect(transport.requests.count == 6)
    }

    @Test func `a POST follows no redirect`() async throws {
        transport.answer("https://api.example/a", .redirect("/b", 307))
        #expect(try await api(nil).post(["a"], .null).status == 307)
        #expect(transport.requests.count == 1)
    }

    @Test(arguments: ["", ".", "..", String(repeating: "a", count: 1025)])
    func `an id that would lead to another address is refused`(_ id: String) async throws {
        let api = try api(TestTokens("one"))
        #expect(
            await fault { () async throws(SourceFault) in try await api.get(["files", id]) }
                == .rejected("Example named something by an id that is none"))
        #expect(transport.requests.isEmpty)
    }

    @Test(arguments: [
        (404, #"{"message": "Not Found"}"#, #"Example answered 404 "Not Found""#),
        (400, #"{"error": {"message": "Bad\nrequest"}}"#, #"Example answered 400 "Bad request""#),
        (500, "<html>", "Example answered 500"), (418, "", "Example answered 418"),
    ])
    func `an error is told in the source's words, made harmless`(
        _ status: Int, _ body: String, _ message: String
    ) async throws {
        let api = try api(nil)
        let response = TransportResponse(status: status, body: Array(body.utf8))
        #expect(
            await fault { () async throws(SourceFault) in try await api.object(response) } == .rejected(message))
    }

    @Test(arguments: ["", "[]", "null", "{", "<html>", #""text""#])
    func `an answer that is no object is told so`(_ body: String) async throws {
        let api = try api(nil)
        let response = TransportResponse(status: 200, body: Array(body.utf8))
        #expect(
            await fault { () async throws(SourceFault) in try await api.object(response) }
                == .rejected("Example answered with something that is not a JSON object"))
    }
}
