import Assets
import Formats
import Secrets
import Transport

/// Reads the pages that are shared with a connection to Notion, each one's blocks as Markdown.
final class NotionReader: SourceReader {
    /// The version of the API that this reader was written against (https://developers.notion.com/reference/versioning),
    /// the same as the broker's.
    static let headers = [(name: "notion-version", value: "2025-09-03")]

    /// Bounds of one page's blocks: Notion itself has none, and each level costs a call for each block with others in it.
    private static let mostBlocks = 20_000
    private static let mostCalls = 2_000
    private static let deepest = 32

    private let api: APIClient
    /// In bytes.
    private let longest: Int

    init(_ api: APIClient, longest: Int) {
        self.api = api
        self.longest = longest
    }

    var listsChosenItems: Bool { true }

    // MARK: listing

    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage {
        // Those that are edited meanwhile move to the end of this order, and are not missed.
        var query: [String: JSONValue] = [
            "filter": .object(["property": .string("object"), "value": .string("page")]),
            "sort": .object(["direction": .string("ascending"), "timestamp": .string("last_edited_time")]),
            "page_size": .number(100),
        ]
        query["start_cursor"] = cursor.map { .string($0.text) }
        let page = try await api.object(try await api.post(["v1", "search"], .object(query)))
        guard case .array(let results)? = page["results"] else { throw .unreadable("a list of pages", from: api.name) }
        let (next, isCut) = Self.next(page, after: cursor?.text)
        return ListingPage(
            items: results.compactMap { Self.item($0) }, next: next.map { ListingCursor($0) },
            isIncomplete: isCut || !results.allSatisfy(Self.isResult))
    }

    /// The cursor of the next page. One that leads to its own page, or is missing where there is more, leads nowhere. A list
    /// that is too long for Notion ends early, and `request_status` alone tells
    /// (https://developers.notion.com/reference/query-a-data-source).
    private static func next(_ page: [String: JSONValue], after cursor: String?) -> (String?, isCut: Bool) {
        let status = if case .object(let status)? = page["request_status"] { status } else { [String: JSONValue]() }
        let isCut = status["type"]?.string == "incomplete"
        guard let hasMore = page["has_more"]?.bool else { return (nil, true) }
        guard hasMore else { return (nil, isCut) }
        guard let next = page["next_cursor"]?.string, !next.isEmpty, next != cursor else { return (nil, true) }
        return (next, isCut)
    }

    /// Tells whether it is a page or a database. Anything else may stand for a page that was listed before.
    private static func isResult(_ value: JSONValue) -> Bool {
        guard case .object(let result) = value else { return false }
        return result["object"]?.string != nil && result["id"]?.string != nil
    }

    private static func item(_ value: JSONValue) -> SourceItem? {
        guard case .object(let page) = value, page["object"]?.string == "page", let id = page["id"]?.string,
            (1...256).contains(id.utf8.count), page["in_trash"]?.bool != true, page["archived"]?.bool != true
        else { return nil }
        let edited = page["last_edited_time"]?.string.flatMap { $0.utf8.count <= 64 ? ItemVersion($0) : nil }
        return SourceItem(
            key: id, fileName: title(page) ?? "Untitled", contentType: "text/markdown",
            sourceURL: page["url"]?.string.flatMap { WebAddress($0)?.text }, version: edited)
    }

    /// The property of the type `title`, whatever it is called: each page has one.
    private static func title(_ page: [String: JSONValue]) -> String? {
        guard case .object(let properties)? = page["properties"] else { return nil }
        for property in properties.values {
            guard case .object(let property) = property, property["type"]?.string == "title" else { continue }
            return FileName.cleaned(NotionText.plain(property["title"]))
        }
        return nil
    }

    // MARK: reading

    private struct Budget {
        var blocks = NotionReader.mostBlocks
        var calls = NotionReader.mostCalls
        var bytes: Int
    }

    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading {
        var budget = Budget(bytes: longest)
        guard let blocks = try await blocks(in: item.key, depth: 0, &budget) else { return ItemReading(.absent) }
        let bytes = Array(NotionMarkdown.text(of: blocks).utf8)
        guard bytes.count <= longest else { throw .tooLarge }
        let content = SourceContent(bytes: bytes, contentType: "text/markdown", charset: "utf-8")
        return ItemReading(.content(content, item.version ?? ItemVersion("sha256 " + Digest(of: bytes).hex)))
    }

    /// The blocks within a page or block, with those within them; `nil` where it is gone.
    private func blocks(
        in id: String, depth: Int, _ budget: inout Budget
    ) async throws(SourceFault) -> [NotionBlock]? {
        guard depth < Self.deepest else { throw .tooLarge }
        guard var blocks = try await children(of: id, depth: depth, &budget) else { return nil }
        for place in blocks.indices where blocks[place].hasChildren {
            blocks[place].children = try await self.blocks(in: blocks[place].id, depth: depth + 1, &budget) ?? []
        }
        return blocks
    }

    private func children(
        of id: String, depth: Int, _ budget: inout Budget
    ) async throws(SourceFault) -> [NotionBlock]? {
        var (blocks, cursor) = ([NotionBlock](), String?.none)
        repeat {
            budget.calls -= 1
            guard budget.calls >= 0 else { throw .tooLarge }
            var query = [(name: "page_size", value: "100")]
            if let cursor { query.append(("start_cursor", cursor)) }
            let response = try await api.get(["v1", "blocks", id, "children"], query: query)
            if response.status == 404 { return nil }
            let page = try await api.object(response)
            guard case .array(let results)? = page["results"] else { throw .unreadable("blocks", from: api.name) }
            let new = results.compactMap { NotionBlock($0) }
            budget.blocks -= new.count
            budget.bytes -= new.reduce(0) { $0 + $1.kind.cost(at: depth) }
            guard budget.blocks >= 0, budget.bytes >= 0 else { throw .tooLarge }
            blocks += new
            let (next, isCut) = Self.next(page, after: cursor)
            // Half of a page would be kept as the whole one.
            guard !isCut else { throw .unreadable("all blocks of a page", from: api.name) }
            cursor = next
        } while cursor != nil
        return blocks
    }
}
