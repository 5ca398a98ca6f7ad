import Assets
import Formats
import Testing
import Transport

@testable import AssetReaders

@Suite struct WebsiteReaderTests {
    private static let home = "https://a.example/docs/"
    private let sources = TestSources()
    private var transport: ScriptedTransport { sources.transport }

    private func links(_ targets: String...) -> ScriptedTransport.Answer {
        .html("<title>x</title>" + targets.map { "<a href=\"\($0)\">\($0)</a>" }.joined())
    }

    private func read(
        _ parameters: [String: ParameterValue] = [:], since versions: [String: ItemVersion] = [:],
        linked: [LinkedItem] = []
    ) async throws -> Reading {
        let parameters = ["url": ParameterValue.string(Self.home)].merging(parameters) { $1 }
        return try await Reading(of: try sources.reader("website", parameters, linked: linked), since: versions)
    }

    @Test func `pages are read that links lead to, of the same origin and under the directory`() async throws {
        transport.answer(
            Self.home,
            links(
                "a", "/docs/b#x", "/other", "/docs", "https://b.example/docs/c", "http://a.example/docs/d",
                "https://a.example:8443/docs/e", "../docs/f/../g"))
        for name in ["a", "b", "g"] { transport.answer(Self.home + name, links("a")) }
        let reading = try await read()
        #expect(reading.keys == [Self.home, Self.home + "a", Self.home + "b", Self.home + "g"])
        #expect(reading.texts.count == 4)
        #expect(reading.isComplete)
        #expect(transport.urls.filter { !$0.hasPrefix(Self.home) } == ["https://a.example/robots.txt"])
    }

    @Test func `the first page is the source itself, named by its path`() async throws {
        transport.answer(Self.home, links("a/b.html?x=1"))
        transport.answer(Self.home + "a/b.html?x=1", .html(""))
        let reader = try sources.reader("website", ["url": .string(Self.home + "#top")])
        #expect(!reader.listsChosenItems)
        let page = try await reader.list(after: nil)
        let first = try #require(page.items.first)
        #expect(first.isWholeSource && first.key == Self.home && first.fileName == "docs")
        #expect(page.next == nil && !page.isIncomplete && !page.keepsVanished)
        let found = try #require(try await reader.read(first, since: nil).found.first)
        #expect(!found.isWholeSource && found.fileName == "b.html")
        #expect(found.sourceURL == Self.home + "a/b.html?x=1")
    }

    @Test func `loops of pages end`() async throws {
        transport.answer(Self.home, links("a", ".", "#x", "./"))
        transport.answer(Self.home + "a", links("", "b", "%61"))
        transport.answer(Self.home + "b", links("./a", "../docs/"))
        #expect(try await read().keys == [Self.home, Self.home + "a", Self.home + "b"])
    }

    @Test func `pages beyond the depth are not read, and the listing is whole`() async throws {
        transport.answer(Self.home, links("1"))
        for number in 1..<5 { transport.answer(Self.home + "\(number)", links("\(number + 1)")) }
        let reading = try await read(["maxDepth": .integer(2)])
        #expect(reading.keys == [Self.home, Self.home + "1", Self.home + "2"])
        #expect(reading.isComplete)
    }

    @Test func `depth 0 is the first page alone`() async throws {
        transport.answer(Self.home, links("1"))
        #expect(try await read(["maxDepth": .integer(0)]).keys == [Self.home])
    }

    @Test func `what was found before the process ended counts among the most pages, and is not found again`()
        async throws
    {
        transport.answer(Self.home, links("1", "2", "3", "4"))
        for number in 1...4 { transport.answer(Self.home + "\(number)", .html("")) }
        let linked = [
            LinkedItem(key: Self.home + "1", isAbsent: false), LinkedItem(key: Self.home + "2", isAbsent: true),
        ]
        let reading = try await read(["maxPages": .integer(3)], linked: linked)
        #expect(reading.keys == [Self.home, Self.home + "3"])
        #expect(!reading.isComplete)
    }

    @Test func `with the most pages the listing is not whole`() async throws {
        transport.answer(Self.home, links("1", "2", "3"))
        for number in 1...3 { transport.answer(Self.home + "\(number)", .html("")) }
        let reading = try await read(["maxPages": .integer(3)])
        #expect(reading.keys == [Self.home, Self.home + "1", Self.home + "2"])
        #expect(!reading.isComplete)
        #expect(try await read(["maxPages": .integer(4)]).isComplete)
    }

    @Test func `an address that is none takes no page's place`() async throws {
        transport.answer(Self.home, links("missing", "gone", "picture", "1", "2"))
        transport.answer(Self.home + "gone", .status(410))
        transport.answer(Self.home + "picture", .body("", "image/png"))
        for number in 1...2 { transport.answer(Self.home + "\(number)", .html("")) }
        let reading = try await read(["maxPages": .integer(3)])
        #expect(reading.absent == [Self.home + "gone", Self.home + "missing", Self.home + "picture"])
        #expect(reading.texts.keys.sorted() == [Self.home, Self.home + "1", Self.home + "2"])
    }

    @Test(arguments: [401, 403, 400, 418, 304, 300, 501])
    func `another answer fails the page alone`(_ status: Int) async throws {
        transport.answer(Self.home, links("a", "b"))
        transport.answer(Self.home + "a", .status(status))
        transport.answer(Self.home + "b", .html(""))
        let reading = try await read()
        #expect(reading.faults == [Self.home + "a": .rejected("a.example answered \(status)")])
        #expect(reading.texts.count == 2)
    }

    @Test(arguments: [404, 410, 403, 500])
    func `a first page that cannot be read fails the source`(_ status: Int) async throws {
        transport.answer(Self.home, .status(status))
        let reader = try sources.reader("website", ["url": .string(Self.home)])
        let fault = await fault { () async throws(SourceFault) in try await Reading(of: reader) }
        #expect(fault == .rejected("a.example answered \(status)"))
    }

    @Test func `a first page of another type fails the source`() async throws {
        transport.answer(Self.home, .body("", "image/png"))
        let reader = try sources.reader("website", ["url": .string(Self.home)])
        let fault = await fault { () async throws(SourceFault) in try await Reading(of: reader) }
        #expect(fault == .rejected(#"a.example answered with a type that is not read: "image/png""#))
    }

    @Test func `a first page that robots.txt closes refuses the source`() async throws {
        transport.answer("https://a.example/robots.txt", .status(200, [], "User-agent: *\nDisallow: /docs/"))
        let reader = try sources.reader("website", ["url": .string(Self.home)])
        let fault = await fault { () async throws(SourceFault) in try await Reading(of: reader) }
        #expect(fault == .addressRefused("robots.txt of a.example closes this address"))
        #expect(transport.urls == ["https://a.example/robots.txt"])
    }

    @Test func `other pages that robots.txt closes are not asked for, and are no documents`() async throws {
        transport.answer("https://a.example/robots.txt", .status(200, [], "User-agent: *\nDisallow: /docs/private"))
        transport.answer(Self.home, links("private/a", "b"))
        transport.answer(Self.home + "b", .html(""))
        let reading = try await read()
        #expect(reading.absent == [Self.home + "private/a"])
        #expect(!transport.urls.contains(Self.home + "private/a"))
    }

    /// RFC 9309 § 2.3.1.4: a site whose rules cannot be had is closed, but not for good.
    @Test func `a page of a site whose rules are not known fails, and is not gone`() async throws {
        transport.answer(Self.home, links("a"))
        transport.answer(Self.home + "a", .redirect("https://b.example/"))
        transport.answer("https://b.example/robots.txt", .status(503))
        let reading = try await read()
        let why = "robots.txt of b.example cannot be read, which closes this address for now"
        #expect(reading.faults == [Self.home + "a": .rejected(why)])
    }

    @Test func `a first page of a site whose rules are not known refuses the source`() async throws {
        transport.answer("https://a.example/robots.txt", .status(503))
        let reader = try sources.reader("website", ["url": .string(Self.home)])
        let fault = await fault { () async throws(SourceFault) in try await Reading(of: reader) }
        #expect(
            fault == .addressRefused("robots.txt of a.example cannot be read, which closes this address for now"))
    }

    @Test func `a site that cannot be reached is tried for the first of its pages alone`() async throws {
        transport.answer(Self.home, links("a", "b", "c"))
        for name in ["a", "b", "c"] { transport.answer(Self.home + name, .redirect("https://b.example/" + name)) }
        transport.answer("https://b.example/robots.txt", .failure(.connectionRefused))
        #expect(try await read().faults.count == 3)
        #expect(transport.urls.count { $0 == "https://b.example/robots.txt" } == 5)
    }

    /// In which order pages answer is chance; what is missing for it is not gone.
    @Test func `a page that was read as too deep a one leaves the listing incomplete`() async throws {
        transport.answer(Self.home, links("a", "b"))
        transport.answer(Self.home + "b", links("c"))
        transport.answer(Self.home + "c", links("d"))
        transport.answer(Self.home + "d", links("e"))
        transport.answer(Self.home + "a", links("d"))
        let reader = try sources.reader("website", ["url": .string(Self.home), "maxDepth": .integer(3)])
        var found = try await reader.list(after: nil).items
        var isIncomplete = false
        for name in ["", "b", "c", "d", "a"] {
            let item = try #require(found.first { $0.key == Self.home + name })
            let reading = try await reader.read(item, since: nil)
            found += reading.found
            isIncomplete = isIncomplete || reading.isIncomplete
        }
        #expect(!found.contains { $0.key == Self.home + "e" })
        #expect(isIncomplete)
    }

    @Test func `a target of a redirect for which there is no room leaves the listing incomplete`() async throws {
        transport.answer(Self.home, links("1"))
        transport.answer(Self.home + "1", .redirect("2"))
        for number in 2...20 { transport.answer(Self.home + "\(number)", .html(""), .redirect("\(number + 1)")) }
        let reading = try await read(["maxPages": .integer(2)])
        #expect(reading.keys.count == 8)
        #expect(!reading.isComplete)
    }

    @Test func `a page that is no text leaves the listing incomplete`() async throws {
        transport.answer(Self.home, links("a", "b"))
        transport.answer(Self.home + "a", .html("<a href=c>\0"))
        transport.answer(Self.home + "b", .html(""))
        #expect(try await !read().isComplete)
    }

    /// A site that says "not modified" would never tell the links that were not read.
    @Test func `a page of more links than are read is read whole each time`() async throws {
        let many = String(repeating: "<a href=\"/\">", count: 10_001)
        transport.answer(Self.home, .html(many, [("etag", "\"1\"")]))
        let first = try await read()
        #expect(!first.isComplete)
        #expect(try await !read(since: first.versions).isComplete)
        #expect(transport.headers("if-none-match", to: Self.home) == [nil, nil])
    }

    /// RFC 9110 § 15.4.3: the page is still at its own address.
    @Test(arguments: [302, 303, 307])
    func `a page that is kept and redirects for now is not gone`(_ status: Int) async throws {
        let login = ScriptedTransport.Answer.redirect("https://b.example/login", status)
        transport.answer("https://b.example/login", .html("log in"))
        transport.answer(Self.home, links("a"))
        transport.answer(Self.home + "a", .html("a"), login)
        let first = try await read()
        #expect(try await read(since: first.versions).faults.keys.sorted() == [Self.home + "a"])
        transport.answer(Self.home, login)
        #expect(try await !read(since: first.versions).isComplete)
        #expect(try await read().isComplete)
    }

    @Test func `a page that is kept and moved for good is gone`() async throws {
        transport.answer("https://b.example/", .html("moved"))
        transport.answer(Self.home, links("a"))
        transport.answer(Self.home + "a", .html("a"), .redirect("https://b.example/", 301))
        let reading = try await read(since: try await read().versions)
        #expect(reading.absent == [Self.home + "a"])
        #expect(reading.isComplete)
    }

    @Test func `a first page that always redirects for now is a whole listing's`() async throws {
        transport.answer(Self.home, .redirect("en/"))
        transport.answer(Self.home + "en/", links("a"))
        transport.answer(Self.home + "en/a", .html("a"))
        #expect(try await read(since: try await read().versions).isComplete)
    }

    @Test func `a page that redirects is the one it leads to, once`() async throws {
        transport.answer(Self.home, links("old", "new"))
        transport.answer(Self.home + "old", .redirect("new", 301))
        transport.answer(Self.home + "new", .html("new"))
        let reading = try await read()
        #expect(reading.absent == [Self.home + "old"])
        #expect(reading.texts[Self.home + "new"] == "new")
        #expect(reading.keys == [Self.home, Self.home + "old", Self.home + "new"])
    }

    @Test func `a page that redirects to one that nobody links to leads to it`() async throws {
        transport.answer(Self.home, links("old"))
        transport.answer(Self.home + "old", .redirect("new"))
        transport.answer(Self.home + "new", links("next"))
        transport.answer(Self.home + "next", .html(""))
        #expect(try await read().texts.keys.sorted() == [Self.home, Self.home + "new", Self.home + "next"])
    }

    @Test(arguments: ["https://b.example/docs/x", "https://a.example/login"])
    func `a page that redirects out of the website is none of it`(_ target: String) async throws {
        transport.answer(Self.home, links("a"))
        transport.answer(Self.home + "a", .redirect(target))
        transport.answer(target, .html(""))
        let reading = try await read()
        #expect(reading.absent == [Self.home + "a"])
        #expect(reading.keys.count == 2)
    }

    @Test func `a first page that redirects is read where it leads, under its own address`() async throws {
        transport.answer(Self.home, .redirect("en/"))
        transport.answer(Self.home + "en/", links("a", "."))
        transport.answer(Self.home + "en/a", links("./"))
        let reading = try await read()
        #expect(reading.keys == [Self.home, Self.home + "en/a"])
        #expect(reading.texts.keys.sorted() == [Self.home, Self.home + "en/a"])
    }

    @Test func `too many redirects fail the page`() async throws {
        transport.answer(Self.home, links("loop"))
        transport.answer(Self.home + "loop", .redirect("loop"))
        #expect(
            try await read().faults == [
                Self.home + "loop": .rejected("a.example redirects more than 5 times in a row")
            ])
    }

    @Test func `types that are read keep their type and charset`() async throws {
        transport.answer(Self.home, links("a.md", "b", "c.pdf", "d"))
        transport.answer(Self.home + "a.md", .body("# a", "text/plain; charset=ISO-8859-1"))
        transport.answer(Self.home + "b", .body("b", "text/csv"))
        transport.answer(Self.home + "c.pdf", .response(200, headers: [], body: [1]))
        transport.answer(Self.home + "d", .response(200, headers: [], body: [1]))
        let reading = try await read()
        let contents = reading.outcomes.compactMapValues { outcome -> SourceContent? in
            if case .content(let content, _) = outcome { content } else { nil }
        }
        #expect(contents[Self.home + "a.md"]?.contentType == "text/markdown")
        #expect(contents[Self.home + "a.md"]?.charset == "iso-8859-1")
        #expect(contents[Self.home + "b"]?.contentType == "text/csv")
        #expect(contents[Self.home + "c.pdf"]?.contentType == "application/pdf")
        #expect(reading.absent == [Self.home + "d"])
    }

    @Test func `links of other types than HTML are not followed`() async throws {
        transport.answer(Self.home, links("a.md"))
        transport.answer(Self.home + "a.md", .body("<a href=\"b\">", "text/markdown"))
        #expect(try await read().keys == [Self.home, Self.home + "a.md"])
    }

    @Test func `a page that is too large fails alone, the first one fails the source`() async throws {
        transport.answer(Self.home, links("a"))
        transport.answer(Self.home + "a", .html(String(repeating: "x", count: (1 << 20) + 1)))
        #expect(try await read().faults == [Self.home + "a": .tooLarge])
    }

    // MARK: versions

    /// RFC 9110 § 13.1.2 and § 13.1.3
    @Test func `a page is asked for by its validators, and 304 leads on to its links of before`() async throws {
        transport.answer(
            Self.home, .html("<a href=\"a\">", [("etag", "\"1\""), ("last-modified", "then")]), .status(304))
        transport.answer(Self.home + "a", .html("a"))
        let first = try await read()
        let second = try await read(since: first.versions)
        #expect(transport.headers("if-none-match", to: Self.home) == [nil, "\"1\""])
        #expect(transport.headers("if-modified-since", to: Self.home) == [nil, "then"])
        #expect(second.keys == [Self.home, Self.home + "a"])
        #expect(second.unchanged == [Self.home, Self.home + "a"])
    }

    @Test func `without validators the same bytes are the same version`() async throws {
        transport.answer(Self.home, links("a"))
        transport.answer(Self.home + "a", .html("one"), .html("one"), .html("two"))
        let first = try await read()
        let second = try await read(since: first.versions)
        #expect(second.unchanged == [Self.home, Self.home + "a"])
        let third = try await read(since: second.versions)
        #expect(third.texts == [Self.home + "a": "two"])
    }

    @Test func `without a version all is read again`() async throws {
        transport.answer(Self.home, .html("x", [("etag", "\"1\"")]))
        _ = try await read()
        #expect(try await read().texts == [Self.home: "x"])
        #expect(transport.headers("if-none-match", to: Self.home) == [nil, nil])
    }

    @Test func `304 to who did not ask is an error`() async throws {
        transport.answer(Self.home, .status(304))
        let reader = try sources.reader("website", ["url": .string(Self.home)])
        let fault = await fault { () async throws(SourceFault) in try await Reading(of: reader) }
        #expect(fault == .rejected("a.example answered 304"))
    }

    @Test func `a first page that redirected does not lead to its target after 304`() async throws {
        transport.answer(Self.home, .redirect("en"))
        transport.answer(Self.home + "en", .html("<a href=\"en\">", [("etag", "\"1\"")]), .status(304))
        let first = try await read()
        #expect(try await read(since: first.versions).keys == [Self.home])
    }

    @Test func `a note that is lost costs the page's links alone`() async throws {
        transport.answer(Self.home + "a", links("b"))
        let reader = try sources.reader("website", ["url": .string(Self.home)])
        let item = SourceItem(key: Self.home + "a", fileName: "a")
        #expect(try await reader.read(item, since: nil).found.isEmpty)
    }

    /// A trap of endless new addresses.
    @Test func `a site that makes up links without end is read to the most pages`() async throws {
        let sources = TestSources(
            ScriptedTransport { request in
                request.url.hasSuffix("robots.txt")
                    ? .status(404) : .html("<a href=\"\(request.url.utf8.count)/\"><a href=\"?\(request.url)\">")
            })
        let reader = try sources.reader(
            "website", ["url": .string(Self.home), "maxDepth": .integer(1000), "maxPages": .integer(50)])
        let reading = try await Reading(of: reader)
        #expect(reading.keys.count == 50)
        #expect(!reading.isComplete)
    }
}
