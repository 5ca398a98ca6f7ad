import Assets
import Formats
import Testing
import Transport

@testable import AssetReaders

@Suite struct WebClientTests {
    private let sources = TestSources()
    private var transport: ScriptedTransport { sources.transport }

    private func get(_ url: String, _ web: WebClient? = nil) async throws(SourceFault) -> String {
        guard let address = WebAddress(url) else { return "no address" }
        switch try await (web ?? WebClient(sources.client())).get(address) {
        case .response(let response, let final, _): return "\(response.status) \(final.text)"
        case .closed(let closure): return "closed \(closure.address.text)"
        }
    }

    @Test func `the rules of a site are read first, once for each site`() async throws {
        let web = WebClient(sources.client())
        for path in ["/a", "/b"] { _ = try await get("https://a.example" + path, web) }
        _ = try await get("https://b.example/c", web)
        #expect(
            transport.urls == [
                "https://a.example/robots.txt", "https://a.example/a", "https://a.example/b",
                "https://b.example/robots.txt", "https://b.example/c",
            ])
    }

    @Test func `we say who we are`() async throws {
        _ = try await get("https://a.example/a")
        for url in transport.urls { #expect(transport.headers("user-agent", to: url) == ["CloakroomAssets"]) }
    }

    /// RFC 9309 § 2.3.1
    @Test(arguments: [(200, false), (404, true), (403, true), (401, true), (410, true), (500, false), (503, false)])
    func `no file opens a site, and a fault closes it`(_ status: Int, _ isOpen: Bool) async throws {
        transport.answer("https://a.example/robots.txt", .status(status, [], "User-agent: *\nDisallow: /"))
        #expect(
            try await get("https://a.example/a") == (isOpen ? "404 https://a.example/a" : "closed https://a.example/a"))
    }

    @Test func `rules that are too long to be had close a site`() async throws {
        transport.answer("https://a.example/robots.txt", .failure(.responseTooLarge))
        #expect(try await get("https://a.example/a") == "closed https://a.example/a")
    }

    @Test(arguments: [
        (TransportError.timedOut, SourceFault.timedOut("a.example took too long to answer")),
        (.tlsFailed, .unreachable("no secure connection to a.example: TLS failed, or its certificate is wrong")),
        (
            .addressNotAllowed,
            .addressRefused("the address of a.example is not allowed: it is private, loopback, or not https")
        ),
    ])
    func `a site that cannot be reached for its rules is told so`(_ error: TransportError, _ expected: SourceFault)
        async
    {
        transport.answer("https://a.example/robots.txt", .failure(error))
        #expect(await fault { () async throws(SourceFault) in try await get("https://a.example/a") } == expected)
        #expect(transport.urls == ["https://a.example/robots.txt"])
    }

    /// RFC 9309 § 2.3.1.2
    @Test func `redirects of the rules are followed, to other hosts too, and after five there are none`() async throws {
        transport.answer("https://a.example/robots.txt", .redirect("https://b.example/r"))
        transport.answer("https://b.example/r", .status(200, [], "User-agent: *\nDisallow: /a"))
        #expect(try await get("https://a.example/a") == "closed https://a.example/a")
        transport.answer("https://c.example/robots.txt", .redirect("/robots.txt"))
        #expect(try await get("https://c.example/a") == "404 https://c.example/a")
        #expect(transport.urls.count { $0 == "https://c.example/robots.txt" } == 6)
    }

    @Test func `five redirects are followed`() async throws {
        for number in 0..<5 { transport.answer("https://a.example/\(number)", .redirect("/\(number + 1)")) }
        transport.answer("https://a.example/5", .html("x"))
        #expect(try await get("https://a.example/0") == "200 https://a.example/5")
    }

    @Test func `six redirects are too many`() async {
        for number in 0..<6 { transport.answer("https://a.example/\(number)", .redirect("/\(number + 1)")) }
        #expect(
            await fault { () async throws(SourceFault) in try await get("https://a.example/0") }
                == .rejected("a.example redirects more than 5 times in a row"))
        #expect(!transport.urls.contains("https://a.example/6"))
    }

    @Test func `a redirect is held to the rules of where it leads`() async throws {
        transport.answer("https://a.example/a", .redirect("https://b.example/private"))
        transport.answer("https://b.example/robots.txt", .status(200, [], "User-agent: *\nDisallow: /private"))
        #expect(try await get("https://a.example/a") == "closed https://b.example/private")
        #expect(!transport.urls.contains("https://b.example/private"))
    }

    @Test func `a redirect to where the transport does not go is refused`() async {
        transport.answer("https://a.example/a", .redirect("http://169.254.169.254/latest/meta-data/"))
        transport.answer("http://169.254.169.254/robots.txt", .failure(.addressNotAllowed))
        let fault = await fault { () async throws(SourceFault) in try await get("https://a.example/a") }
        #expect(fault.map { if case .addressRefused = $0 { true } else { false } } == true)
    }

    @Test(arguments: ["ftp://a.example/", "javascript:x", "https://u:p@b.example/", "http:", "https://"])
    func `a redirect to no address of the web is an answer like others`(_ target: String) async throws {
        transport.answer("https://a.example/a", .redirect(target))
        #expect(try await get("https://a.example/a") == "302 https://a.example/a")
    }

    @Test func `only the five redirects of RFC 9110 are some`() async throws {
        for (status, isRedirect) in [(300, false), (301, true), (303, true), (304, false), (307, true), (308, true)] {
            transport.answer("https://a.example/\(status)", .redirect("/target", status))
            let expected = isRedirect ? "404 https://a.example/target" : "\(status) https://a.example/\(status)"
            #expect(try await get("https://a.example/\(status)") == expected)
        }
    }
}
