import Assets
import Formats
import Testing
import Transport

@testable import AssetReaders

@Suite struct NotionReaderTests {
    private static let search = "https://api.notion.com/v1/search"
    private let sources = TestSources()
    private var transport: ScriptedTransport { sources.transport }

    private static func children(_ id: String, after cursor: String? = nil) -> String {
        "https://api.notion.com/v1/blocks/\(id)/children?page_size=100" + (cursor.map { "&start_cursor=\($0)" } ?? "")
    }

    private static func results(_ items: String..., more: String = #""has_more": false"#) -> ScriptedTransport.Answer {
        .json(#"{"object": "list", "results": [\#(items.joined(separator: ", "))], \#(more)}"#)
    }

    private static func page(_ id: String, _ title: String = "Title", more: String = "") -> String {
        #"""
        {"object": "page", "id": "\#(id)", "last_edited_time": "2027-01-01T00:00:00.000Z", "url": "https://n.example/\#(id)",
        "properties": {"Tags": {"type": "multi_select"},
        "Called": {"type": "title", "title": [{"plain_text": "\#(title)"}]}}\#(more)}
        """#
    }

    private static func paragraph(_ id: String, _ text: String, hasChildren: Bool = false) -> String {
        #"{"object": "block", "id": "\#(id)", "type": "paragraph", "has_children": \#(hasChildren), "#
            + #""paragraph": {"rich_text": [{"plain_text": "\#(text)"}]}}"#
    }

    private func reader(maxDocumentBytes: Int = 1 << 20) throws -> any SourceReader {
        try sources.reader("notion", [:], tokens: TestTokens("one"), maxDocumentBytes: maxDocumentBytes)
    }

    private func fault(maxDocumentBytes: Int = 1 << 20, key: String = "p") async throws -> SourceFault? {
        let reader = try reader(maxDocumentBytes: maxDocumentBytes)
        return await AssetReadersTests.fault { () async throws(SourceFault) in
            try await reader.read(SourceItem(key: key, fileName: "p"), since: nil)
        }
    }

    // MARK: listing

    @Test func `pages are searched for, to the last one`() async throws {
        transport.answer(
            Self.search, Self.results(Self.page("1"), more: #""has_more": true, "next_cursor": "c""#),
            Self.results(Self.page("2")))
        let reading = try await Reading(of: try reader())
        #expect(reading.listed.map(\.key) == ["1", "2"])
        #expect(reading.isComplete && !reading.keepsVanished)
        let bodies = transport.requests.filter { $0.url == Self.search }.compactMap {
            $0.body.flatMap { JSONValue(json: $0) }
        }
        guard case .object(let first)? = bodies.first, case .object(let second)? = bodies.last else {
            Issue.record("the requests have no JSON")
            return
        }
        #expect(first["filter"] == .object(["property": .string("object"), "value": .string("page")]))
        #expect(first["page_size"] == .number(100) && first["start_cursor"] == nil)
        #expect(second["start_cursor"] == .string("c"))
    }

    @Test func `the version of the API and the token are sent`() async throws {
        transport.answer(Self.search, Self.results())
        _ = try await reader().list(after: nil)
        #expect(transport.headers("notion-version", to: Self.search) == ["2025-09-03"])
        #expect(transport.headers("authorization", to: Self.search) == ["Bearer one"])
    }

    @Test func `a page has its title, address and time`() async throws {
        transport.answer(
            Self.search, Self.results(Self.page("1", "A\\n title"), #"{"object": "page", "id": "2", "properties": {}}"#)
        )
        let items = try await reader().list(after: nil).items
        #expect(items[0].fileName == "A title" && items[0].sourceURL == "https://n.example/1")
        #expect(items[0].version == ItemVersion("2027-01-01T00:00:00.000Z"))
        #expect(items[0].contentType == "text/markdown")
        #expect(items[1].fileName == "Untitled" && items[1].version == nil && items[1].sourceURL == nil)
    }

    @Test func `what is no page, or in the bin, is passed over`() async throws {
        transport.answer(
            Self.search,
            Self.results(
                #"{"object": "data_source", "id": "1"}"#, Self.page("2", more: #", "in_trash": true"#),
                Self.page("3", more: #", "archived": true"#), Self.page("4")))
        let page = try await reader().list(after: nil)
        #expect(page.items.map(\.key) == ["4"])
        #expect(!page.isIncomplete)
    }

    @Test(arguments: ["null", #"{"object": "page"}"#, #"{"object": "page", "id": 1}"#, #"{"id": "1"}"#])
    func `a result that cannot be told leaves the listing incomplete`(_ result: String) async throws {
        transport.answer(Self.search, Self.results(result, Self.page("4")))
        let page = try await reader().list(after: nil)
        #expect(page.items.map(\.key) == ["4"])
        #expect(page.isIncomplete)
    }

    @Test(arguments: [
        #""has_more": false, "request_status": {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}"#,
        #""has_more": null"#, #""next_cursor": null"#,
    ])
    func `a listing that Notion does not call whole is not`(_ more: String) async throws {
        transport.answer(Self.search, Self.results(Self.page("1"), more: more))
        let page = try await reader().list(after: nil)
        #expect(page.items.map(\.key) == ["1"] && page.next == nil)
        #expect(page.isIncomplete)
    }

    @Test func `a listing that Notion calls whole is`() async throws {
        transport.answer(
            Self.search,
            Self.results(Self.page("1"), more: #""has_more": false, "request_status": {"type": "complete"}"#))
        #expect(try await !reader().list(after: nil).isIncomplete)
    }

    @Test(arguments: [#""next_cursor": "c""#, #""next_cursor": null"#, #""next_cursor": """#])
    func `a listing that leads nowhere ends, and is not whole`(_ cursor: String) async throws {
        transport.answer(Self.search, Self.results(more: #""has_more": true, "# + cursor))
        #expect(try await !Reading(of: try reader()).isComplete)
        #expect(transport.requests.count <= 2)
    }

    @Test func `an answer without results fails the source`() async throws {
        transport.answer(Self.search, .json("{}"))
        let reader = try reader()
        #expect(
            await AssetReadersTests.fault { () async throws(SourceFault) in try await reader.list(after: nil) }
                == .rejected("Notion answered with something that is not a list of pages"))
    }

    // MARK: reading

    @Test func `a page's blocks are read with those within them, to the last one`() async throws {
        transport.answer(
            Self.children("p"),
            Self.results(
                Self.paragraph("a", "one", hasChildren: true), more: #""has_more": true, "next_cursor": "c d""#))
        transport.answer(Self.children("p", after: "c%20d"), Self.results(Self.paragraph("b", "three")))
        transport.answer(Self.children("a"), Self.results(Self.paragraph("c", "two")))
        let item = SourceItem(key: "p", fileName: "p", version: ItemVersion("v"))
        guard case .content(let content, ItemVersion("v")) = try await reader().read(item, since: nil).outcome else {
            Issue.record("there is no content")
            return
        }
        #expect(content.contentType == "text/markdown" && content.charset == "utf-8")
        #expect(String(decoding: content.bytes, as: UTF8.self) == "one\n\ntwo\n\nthree\n")
    }

    @Test func `pages within a page are named, and read by themselves`() async throws {
        transport.answer(
            Self.children("p"),
            Self.results(
                #"{"id": "q", "type": "child_page", "has_children": true, "child_page": {"title": "Inner"}}"#))
        guard
            case .content(let content, _) = try await reader().read(SourceItem(key: "p", fileName: "p"), since: nil)
                .outcome
        else {
            Issue.record("there is no content")
            return
        }
        #expect(content.bytes == Array("Inner\n".utf8))
        #expect(transport.urls == [Self.children("p")])
    }

    @Test func `a page that is shared no more is no document`() async throws {
        guard case .absent = try await reader().read(SourceItem(key: "p", fileName: "p"), since: nil).outcome else {
            Issue.record("it is there")
            return
        }
    }

    @Test func `blocks that hold themselves end as too large`() async throws {
        transport.answer(Self.children("p"), Self.results(Self.paragraph("p", "x", hasChildren: true)))
        #expect(try await fault() == .tooLarge)
        #expect(transport.requests.count == 32)
    }

    @Test func `blocks without end end as too large`() async throws {
        let sources = TestSources(
            ScriptedTransport { request in
                Self.results(
                    more: #""has_more": true, "next_cursor": "\#(request.url.hasSuffix("=a") ? "b" : "a")""#)
            })
        let reader = try sources.reader("notion", [:], tokens: TestTokens("one"))
        let fault = await AssetReadersTests.fault { () async throws(SourceFault) in
            try await reader.read(SourceItem(key: "p", fileName: "p"), since: nil)
        }
        #expect(fault == .tooLarge)
        #expect(sources.transport.requests.count == 2000)
    }

    @Test(arguments: [#""has_more": true, "next_cursor": null"#, #""has_more": true"#, #""has_more": null"#])
    func `a page whose blocks break off is not read`(_ more: String) async throws {
        transport.answer(Self.children("p"), Self.results(Self.paragraph("a", "half"), more: more))
        #expect(try await fault() == .rejected("Notion answered with something that is not all blocks of a page"))
    }

    @Test func `lines count with what each costs, however deep they are`() async throws {
        let lines = String(repeating: "\\n", count: 1000)
        transport.answer(Self.children("p"), Self.results(Self.paragraph("a", "x", hasChildren: true)))
        transport.answer(Self.children("a"), Self.results(Self.paragraph("b", lines + "y")))
        #expect(try await fault(maxDocumentBytes: 20_000) == .tooLarge)
        #expect(try await fault(maxDocumentBytes: 22_000) == nil)
    }

    @Test func `more text than a document may have is too large`() async throws {
        transport.answer(Self.children("p"), Self.results(Self.paragraph("a", "12345")))
        #expect(try await fault(maxDocumentBytes: 4) == .tooLarge)
        #expect(try await fault(maxDocumentBytes: 5) == .tooLarge)  // with the line end
        #expect(try await fault(maxDocumentBytes: 6) == nil)
    }

    @Test(arguments: ["..", ".", ""])
    func `an id that would lead to another address is refused`(_ id: String) async throws {
        #expect(try await fault(key: id) == .rejected("Notion named something by an id that is none"))
        #expect(transport.requests.isEmpty)
    }

    @Test func `blocks that cannot be read fail the page`() async throws {
        transport.answer(Self.children("p"), .json("{}"))
        #expect(try await fault() == .rejected("Notion answered with something that is not blocks"))
    }
}
