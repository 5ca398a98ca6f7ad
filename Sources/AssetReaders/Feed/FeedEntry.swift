import Assets
import Formats

/// An entry of a feed, as it says of itself: hostile text.
struct FeedEntry: Sendable {
    /// `guid`, `id` or `rdf:about`: names the entry for good.
    private(set) var id: String?
    /// Where a person reads it; may be relative.
    private(set) var link: String?
    private(set) var title: String?
    /// The whole text, else the summary.
    var body: SourceContent? { content ?? summary }

    private var content: SourceContent?
    private var summary: SourceContent?

    /// Reads an entry whose element has just begun.
    init(_ entry: XMLElement, _ events: inout XMLEvents) throws(XMLFault) {
        let (outer, isAtom) = (events.depth - 1, entry.name.namespace == Feed.atom)
        id = entry["about", in: Feed.rdf]
        while events.depth > outer, let event = try events.next() {
            guard case .start(let element) = event else { continue }
            let inner = events.depth - 1
            try isAtom ? readAtom(element, &events) : readRSS(element, in: entry.name.namespace, &events)
            // Whatever of the element was not read.
            if events.depth > inner { try events.skipElement() }
        }
    }

    /// The module with which RSS carries whole texts (https://web.resource.org/rss/1.0/modules/content/).
    private static let contentModule = "http://purl.org/rss/1.0/modules/content/"

    private mutating func readRSS(
        _ element: XMLElement, in namespace: String?, _ events: inout XMLEvents
    ) throws(XMLFault) {
        switch element.name {
        case XMLName("guid", in: namespace):
            id = try events.readText(atMost: 65_536)
            // RSS 2.0: a `guid` is an address unless it says that it is none. Not all that do not say so are.
            if link == nil, element["isPermaLink"] != "false", id.flatMap({ WebAddress($0) }) != nil { link = id }
        case XMLName("link", in: namespace): link = try events.readText(atMost: 65_536)
        case XMLName("title", in: namespace): title = Self.plain(try events.readText(atMost: 65_536))
        case XMLName("description", in: namespace): summary = Self.html(try events.readText())
        case XMLName("encoded", in: Self.contentModule): content = Self.html(try events.readText())
        default: break
        }
    }

    private mutating func readAtom(_ element: XMLElement, _ events: inout XMLEvents) throws(XMLFault) {
        switch element.name {
        case XMLName("id", in: Feed.atom): id = try events.readText(atMost: 65_536)
        case XMLName("link", in: Feed.atom):
            // RFC 4287 § 4.2.7.2: without `rel` it is the entry's own.
            if link == nil, (element["rel"] ?? "alternate") == "alternate" { link = element["href"] }
        case XMLName("title", in: Feed.atom):
            let text = try Self.construct(element, &events)
            title = text.map { content in
                let title = String(decoding: content.bytes, as: UTF8.self)
                return content.contentType == "text/html" ? Self.plain(title) : title
            }
        case XMLName("summary", in: Feed.atom): summary = try Self.construct(element, &events)
        case XMLName("content", in: Feed.atom): content = try Self.construct(element, &events)
        default: break
        }
    }

    /// RFC 4287 § 3.1.1 and § 4.1.3.3; `nil` for what is elsewhere, or no text.
    private static func construct(
        _ element: XMLElement, _ events: inout XMLEvents
    ) throws(XMLFault) -> SourceContent? {
        guard element["src"] == nil else { return nil }
        switch HeaderValue.mediaType(element["type"] ?? "text") {
        case "html", "text/html": return html(try events.readText())
        case "xhtml", "application/xhtml+xml":
            return SourceContent(bytes: Array(try events.readMarkup()), contentType: "text/html", charset: "utf-8")
        case "text": return text(try events.readText())
        case let type where type.utf8.starts(with: "text/".utf8): return text(try events.readText())
        default: return nil
        }
    }

    private static func html(_ text: String) -> SourceContent {
        SourceContent(bytes: Array(text.utf8), contentType: "text/html", charset: "utf-8")
    }

    static func text(_ text: String) -> SourceContent {
        SourceContent(bytes: Array(text.utf8), contentType: "text/plain", charset: "utf-8")
    }

    /// A title without tags, which stand in many, and with its references replaced.
    private static func plain(_ title: String) -> String {
        var (bytes, rest) = ([UInt8](), Array(title.utf8)[...])
        while let byte = rest.popFirst() {
            let next = rest.first ?? 0
            let isTag = byte == UInt8(ascii: "<") && (next == UInt8(ascii: "/") || (0x61...0x7A).contains(next | 0x20))
            if !isTag {
                bytes.append(byte)
            } else if let end = rest.firstIndex(of: UInt8(ascii: ">")) {
                rest = rest[(end + 1)...]
            } else {
                // Nor is there a tag behind it.
                bytes += [byte] + rest
                rest = []
            }
        }
        return CharacterReference.replaced(in: bytes[...])
    }
}
