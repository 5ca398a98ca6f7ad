import Formats

/// A block of a page (https://developers.notion.com/reference/block), as much as its text needs.
struct NotionBlock: Sendable {
    /// A kind of block, by the Markdown that it becomes.
    enum Kind: Sendable, Hashable {
        case paragraph(String)
        case heading(Int, String)
        case bullet(String)
        case number(String)
        case task(String, isDone: Bool)
        case quote(String)
        case code(String, language: String)
        case equation(String)
        case table
        case row([String])
        case divider
        /// Nothing of its own: a column, a copy of blocks elsewhere, a kind that came later.
        case group
    }

    let id: String
    let kind: Kind
    let hasChildren: Bool
    var children: [NotionBlock] = []

    /// `nil` where it is no block.
    init?(_ value: JSONValue) {
        guard case .object(let block) = value, let id = block["id"]?.string, let type = block["type"]?.string else {
            return nil
        }
        let own = if case .object(let own)? = block[type] { own } else { [String: JSONValue]() }
        self.id = id
        kind = Self.kind(type, own)
        // A page within a page is a document of its own, and so are the pages of a database.
        let isPage = type == "child_page" || type == "child_database"
        hasChildren = block["has_children"]?.bool == true && !isPage
    }

    private static func kind(_ type: String, _ own: [String: JSONValue]) -> Kind {
        let text = NotionText.markdown(own["rich_text"])
        switch type {
        case "heading_1": return .heading(1, text)
        case "heading_2": return .heading(2, text)
        case "heading_3": return .heading(3, text)
        case "bulleted_list_item": return .bullet(text)
        case "numbered_list_item": return .number(text)
        case "to_do": return .task(text, isDone: own["checked"]?.bool == true)
        case "quote", "callout": return .quote(text)
        case "code": return .code(NotionText.plain(own["rich_text"]), language: own["language"]?.string ?? "")
        case "equation": return .equation(own["expression"]?.string ?? "")
        case "table": return .table
        case "table_row": return .row(cells(own["cells"]))
        case "divider": return .divider
        case "child_page", "child_database": return .paragraph(own["title"]?.string ?? "")
        case "bookmark", "embed", "link_preview", "image", "video", "audio", "file", "pdf":
            return .paragraph(caption(own))
        default: return text.isEmpty ? .group : .paragraph(text)
        }
    }

    private static func cells(_ value: JSONValue?) -> [String] {
        guard case .array(let cells)? = value else { return [] }
        return cells.map { NotionText.markdown($0) }
    }

    /// What stands beneath a picture or file, with its address where that is anybody's. A file that Notion keeps has one
    /// that is signed: it opens the file, and is another one each time.
    private static func caption(_ own: [String: JSONValue]) -> String {
        let external =
            if case .object(let external)? = own["external"] { external["url"]?.string } else { String?.none }
        let address = own["url"]?.string ?? external
        let caption = NotionText.markdown(own["caption"])
        let text = caption.isEmpty ? own["name"]?.string ?? "" : caption
        return text.isEmpty ? NotionText.link(address ?? "", to: address) : NotionText.link(text, to: address)
    }
}

extension NotionBlock.Kind {
    /// The bytes of its text, and those that its lines cost beside: as texts of their own, each indented by the blocks
    /// around. A text of nothing but line ends is many times its own length.
    func cost(at depth: Int) -> Int { texts.reduce(0) { $0 + $1.utf8.count + lineEnds(in: $1) * (16 + 4 * depth) } }

    private func lineEnds(in text: String) -> Int { text.utf8.count { $0 == 0x0A } }

    private var texts: [String] {
        switch self {
        case .paragraph(let text), .heading(_, let text), .bullet(let text), .number(let text), .task(let text, _),
            .quote(let text), .code(let text, _), .equation(let text):
            [text]
        case .row(let cells): cells
        case .table, .divider, .group: []
        }
    }
}
