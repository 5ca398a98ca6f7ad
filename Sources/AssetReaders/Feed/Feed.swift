import Formats

/// A feed: RSS 2.0 (https://www.rssboard.org/rss-specification) or Atom (RFC 4287).
struct Feed: Sendable {
    let entries: [FeedEntry]
    /// It has more entries than were wanted.
    let isCut: Bool

    /// - Parameter most: the entries that are read.
    init(_ bytes: [UInt8], charset: String?, most: Int) throws(XMLFault) {
        var events = try XMLEvents(bytes, charset: charset)
        guard case .start(let root)? = try events.next(), let entryName = Self.entryName(in: root.name) else {
            throw .malformed(line: 1)
        }
        var (entries, isCut) = ([FeedEntry](), false)
        while !isCut, let event = try events.next() {
            guard case .start(let element) = event else { continue }
            if element.name == entryName {
                let entry = try FeedEntry(&events, isAtom: entryName.local == "entry")
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

    private static func entryName(in root: XMLName) -> XMLName? {
        switch root {
        case XMLName("rss"): XMLName("item")
        case XMLName("feed", in: atom): XMLName("entry", in: atom)
        default: nil
        }
    }
}
