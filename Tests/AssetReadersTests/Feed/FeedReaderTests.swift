import Assets
import Formats
import Testing
import Transport

@testable import AssetReaders

@Suite struct FeedReaderTests {
    private static let url = "https://a.example/feed"
    private let sources = TestSources()
    private var transport: ScriptedTransport { sources.transport }

    private func read(
        _ xml: String, since versions: [String: ItemVersion] = [:]
    ) async throws -> Reading {
        transport.answer(Self.url, .body(xml, "application/xml"))
        return try await Reading(of: try sources.reader("rss", ["url": .string(Self.url)]), since: versions)
    }

    private static func rss(_ items: String...) -> String {
        """
        <?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
        xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Feed</title><link>https://a.example/</link>
        \(items.map { "<item>\($0)</item>" }.joined())</channel></rss>
        """
    }

    private static func atom(_ entries: String...) -> String {
        """
        <feed xmlns="http://www.w3.org/2005/Atom"><title>Feed</title><id>feed</id>
        \(entries.map { "<entry>\($0)</entry>" }.joined())</feed>
        """
    }

    @Test func `an entry of RSS is a document with its text, name and address`() async throws {
        let reading = try await read(
            Self.rss(
                """
                <guid isPermaLink="false">id-1</guid><title>Cats &amp;amp; <![CDATA[<b>dogs</b>]]></title>
                <link>https://a.example/1</link><description>short</description>
                <content:encoded><![CDATA[<p>long</p>]]></content:encoded><media:title>no</media:title>
                """))
        let item = try #require(reading.listed.first)
        #expect(item.key == "id-1" && item.fileName == "Cats & dogs" && item.sourceURL == "https://a.example/1")
        #expect(item.contentType == "text/html" && item.content?.charset == "utf-8")
        #expect(reading.texts == ["id-1": "<p>long</p>"])
        #expect(reading.isComplete && reading.keepsVanished)
    }

    /// RFC 4287 § 4.1.3.3
    @Test func `an entry of Atom has its content, or its summary`() async throws {
        let reading = try await read(
            Self.atom(
                """
                <id>1</id><title type="html">&lt;i&gt;One&lt;/i&gt;</title><link rel="self" href="x"/>
                <link href="/1"/><summary>no</summary><content type="html">&lt;p&gt;one&lt;/p&gt;</content>
                """,
                """
                <id>2</id><title>1 &lt; 2</title><link rel="alternate" href="https://b.example/2"/>
                <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">two<br/>&amp;</div></content>
                """,
                "<id>3</id><title>Three</title><summary>plain &lt;b&gt;</summary>",
                "<id>4</id><title>Four</title><content src=\"https://a.example/video\" type=\"video/mp4\"/>",
                "<id>5</id><title>Five</title><content type=\"image/png\">AAAA</content>"))
        #expect(
            reading.texts == [
                "1": "<p>one</p>", "2": "<div xmlns=\"http://www.w3.org/1999/xhtml\">two<br/>&amp;</div>",
                "3": "plain <b>", "4": "Four", "5": "Five",
            ])
        #expect(reading.listed.map(\.fileName) == ["One", "1 < 2", "Three", "Four", "Five"])
        #expect(
            reading.listed.map(\.contentType) == ["text/html", "text/html", "text/plain", "text/plain", "text/plain"])
        #expect(reading.listed[0].sourceURL == "https://a.example/1")
        #expect(reading.listed[1].sourceURL == "https://b.example/2")
    }

    @Test func `an entry without id is known by its address, else by its text`() async throws {
        let reading = try await read(
            Self.rss(
                "<link>/a#x</link><description>a</description>", "<description>b</description>",
                "<guid> </guid><title>c</title>"))
        #expect(reading.listed[0].key == "https://a.example/a")
        #expect(reading.listed[1].key.utf8.count == 64 && reading.listed[2].key.utf8.count == 64)
        #expect(reading.listed.map(\.fileName) == ["a", "entry", "c"])
    }

    @Test func `a guid is an address unless it says that it is none`() async throws {
        let reading = try await read(
            Self.rss(
                "<guid>https://a.example/1</guid>", "<guid isPermaLink=\"false\">https://a.example/2</guid>",
                "<guid>javascript:alert(1)</guid>"))
        #expect(reading.listed.map(\.sourceURL) == ["https://a.example/1", nil, nil])
    }

    /// https://web.resource.org/rss/1.0/spec
    @Test(arguments: ["http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"])
    func `RSS 1.0 is read`(_ namespace: String) async throws {
        let reading = try await read(
            """
            <?xml version="1.0"?>
            <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="\(namespace)"
              xmlns:dc="http://purl.org/dc/elements/1.1/"
              xmlns:content="http://purl.org/rss/1.0/modules/content/">
            <channel rdf:about="https://a.example/"><title>Feed</title><items><rdf:Seq>
              <rdf:li rdf:resource="https://a.example/1"/></rdf:Seq></items></channel>
            <item rdf:about="https://a.example/1"><title>One</title><dc:title>no</dc:title>
              <link>https://a.example/one</link><description>short</description></item>
            <item><title>Two</title><link>https://a.example/2</link><description>short</description>
              <content:encoded>&lt;p>long&lt;/p></content:encoded></item>
            </rdf:RDF>
            """)
        #expect(reading.listed.map(\.key) == ["https://a.example/1", "https://a.example/2"])
        #expect(reading.listed.map(\.fileName) == ["One", "Two"])
        #expect(reading.listed.map(\.sourceURL) == ["https://a.example/one", "https://a.example/2"])
        #expect(Array(reading.texts.values).sorted() == ["<p>long</p>", "short"])
    }

    @Test func `RSS in a namespace is RSS`() async throws {
        let reading = try await read(
            """
            <rss version="2.0" xmlns="http://backend.userland.com/rss2" xmlns:x="https://x.example/"><channel><item>
            <guid>1</guid><x:title>no</x:title><title>A</title><description>text</description></item></channel></rss>
            """)
        #expect(reading.listed.map(\.fileName) == ["A"])
        #expect(reading.texts == ["1": "text"])
    }

    @Test func `of two entries with one id the first counts`() async throws {
        let reading = try await read(
            Self.rss(
                "<guid>1</guid><description>new</description>", "<guid>1</guid><description>old</description>"))
        #expect(reading.texts == ["1": "new"])
    }

    @Test func `hostile ids and titles become names that can be kept`() async throws {
        let reading = try await read(
            Self.rss(
                "<guid>a&#10;b</guid><title>a&#27;[31m\n\(String(repeating: "x", count: 5000))</title>",
                "<guid>\(String(repeating: "g", count: 3000))</guid><title>&#x202E;evil</title>"))
        #expect(reading.listed.allSatisfy { $0.key.utf8.count == 64 })
        #expect(reading.listed.map(\.fileName.utf8.count) == [255, 4])
    }

    @Test func `a title of nothing but unclosed tags is read in one pass`() async throws {
        let title = String(repeating: "&lt;a", count: 20_000)
        let reading = try await read(Self.rss("<guid>1</guid><title>\(title)</title>"))
        #expect(reading.listed.first?.fileName.utf8.count == 255)
    }

    @Test func `the version is the text's`() async throws {
        let entry = "<guid>1</guid><title>A</title><description>text</description>"
        let first = try await read(Self.rss(entry))
        let second = try await read(Self.rss(entry + "<link>/other</link>"), since: first.versions)
        #expect(second.unchanged == ["1"])
        let third = try await read(Self.rss("<guid>1</guid><description>text!</description>"), since: first.versions)
        #expect(third.texts == ["1": "text!"])
    }

    @Test func `an entry whose text was not kept is found in the feed again`() async throws {
        transport.answer(Self.url, .body(Self.rss("<guid>1</guid><description>text</description>"), "application/xml"))
        let reader = try sources.reader("rss", ["url": .string(Self.url)])
        #expect(reader.listsChosenItems)
        let outcome = try await reader.read(SourceItem(key: "1", fileName: "x"), since: nil).outcome
        guard case .content(let content, _) = outcome else {
            Issue.record("it was not found")
            return
        }
        #expect(content.bytes == Array("text".utf8))
        _ = try await reader.read(SourceItem(key: "1", fileName: "x"), since: nil)
        #expect(transport.urls.count { $0 == Self.url } == 1)
    }

    @Test func `an entry that left the feed stays`() async throws {
        transport.answer(Self.url, .body(Self.rss(), "application/xml"))
        let reader = try sources.reader("rss", ["url": .string(Self.url)])
        let item = SourceItem(key: "1", fileName: "x")
        guard case .unchanged(nil) = try await reader.read(item, since: ItemVersion("x")).outcome else {
            Issue.record("it did not stay")
            return
        }
        guard case .absent = try await reader.read(item, since: nil).outcome else {
            Issue.record("what never was is there")
            return
        }
    }

    @Test func `an entry that is too large fails alone`() async throws {
        let large = String(repeating: "x", count: (1 << 20) + 1)
        let reading = try await read(
            Self.rss("<guid>1</guid><description>\(large)</description>", "<guid>2</guid><description>x</description>"))
        #expect(reading.faults == ["1": .tooLarge])
        #expect(reading.texts == ["2": "x"])
    }

    @Test(arguments: [
        "", "<html></html>", "{}", "<rss><channel>", "<feed></feed>", "<!DOCTYPE rss><rss></rss>",
        "<feed xmlns=\"http://purl.org/atom/ns#\"></feed>",
    ])
    func `what is no feed fails the source`(_ text: String) async throws {
        transport.answer(Self.url, .body(text, "application/xml"))
        let reader = try sources.reader("rss", ["url": .string(Self.url)])
        guard
            case .rejected(let why)? = await fault(of: { () async throws(SourceFault) in
                try await reader.list(after: nil)
            })
        else {
            Issue.record("it was taken")
            return
        }
        #expect(why.hasPrefix("the feed of a.example cannot be read: "))
    }

    @Test(arguments: [(404, "a.example answered 404"), (500, "a.example answered 500")])
    func `a feed that is not there fails the source`(_ status: Int, _ message: String) async throws {
        transport.answer(Self.url, .status(status))
        let reader = try sources.reader("rss", ["url": .string(Self.url)])
        #expect(
            await fault { () async throws(SourceFault) in try await reader.list(after: nil) } == .rejected(message))
    }

    @Test func `robots.txt holds for feeds`() async throws {
        transport.answer("https://a.example/robots.txt", .status(200, [], "User-agent: *\nDisallow: /feed"))
        let reader = try sources.reader("rss", ["url": .string(Self.url)])
        #expect(
            await fault { () async throws(SourceFault) in try await reader.list(after: nil) }
                == .addressRefused("robots.txt of a.example closes the feed"))
    }
}
