import Formats

/// A feed: RSS 2.0 (https://www.rssboard.org/rss-specification), RSS 1.0 (https://web.resource.org/rss/1.0/spec) or Atom
/// (RFC 4287).
struct Feed: Sendable {
    let entries: [FeedEntry]
    /// It has more entries than were wanted.
    let isCut: Bool

    /// - Parameter most: the entries that are read.
    init(_ bytes: [UInt8], charset: String?, most: Int) throws(XMLFault) {
        var events = try XMLEvents(bytes, charset: charset)
        guard case .start(let root)? = try events.next() else { throw .malformed(line: 1) }
        let entryNames = Self.entryNames(in: root.name)
        guard !entryNames.isEmpty else { throw .malformed(line: 1) }
        var (entries, isCut) = ([FeedEntry](), false)
        while !isCut, let event = try events.next() {
            guard case .start(let element) = event else { continue }
            if entryNames.contains(element.name) {
                let entry = try FeedEntry(element, &events)
                isCut = entries.count == most
                if !isCut { entries.append(entry) }
            } else if element.name.local != "channel" {
                try events.skipElement()
            }
        }
        self.entries = entries
        self.isCut = isCut
    }

    static let atom = "http://www.w3.org/2005/Atom"
    static let rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    /// RSS 1.0, and the 0.90 that it came from.
    private static let ofRDF = ["http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"]

    private static func entryNames(in root: XMLName) -> [XMLName] {
        switch root {
        case XMLName("feed", in: atom): [XMLName("entry", in: atom)]
        case XMLName("RDF", in: rdf): ofRDF.map { XMLName("item", in: $0) }
        // RSS 2.0 is in no namespace, but some put it in one.
        case XMLName("rss", in: root.namespace): [XMLName("item", in: root.namespace)]
        default: []
        }
    }
}
