import Formats

/// A sitemap, or an index of sitemaps (https://www.sitemaps.org/protocol.html).
struct Sitemap: Sendable {
    /// An entry, as it says of itself.
    struct Entry: Sendable, Hashable {
        let location: String
        /// `lastmod`, as it is written.
        let lastModified: String?
    }

    /// The entries lead to further sitemaps, not to pages.
    let isIndex: Bool
    let entries: [Entry]
    /// It has more entries than were wanted.
    let isCut: Bool

    /// - Parameter most: the entries that are read.
    init(_ bytes: [UInt8], charset: String?, most: Int) throws(XMLFault) {
        var events = try XMLEvents(bytes, charset: charset)
        guard case .start(let root)? = try events.next(), let entryName = Self.entryName(in: root.name.local) else {
            throw .malformed(line: 1)
        }
        var (entries, isCut) = ([Entry](), false)
        while !isCut, let event = try events.next() {
            guard case .start(let element) = event else { continue }
            guard element.name == XMLName(entryName, in: root.name.namespace) else {
                try events.skipElement()
                continue
            }
            guard let entry = try Self.entry(&events, in: root.name.namespace) else { continue }
            isCut = entries.count == most
            if !isCut { entries.append(entry) }
        }
        isIndex = entryName == "sitemap"
        self.entries = entries
        self.isCut = isCut
    }

    private static func entryName(in root: String) -> String? {
        switch root {
        case "urlset": "url"
        case "sitemapindex": "sitemap"
        default: nil
        }
    }

    /// Reads an entry whose element has just begun. Extensions have a `loc` of their own, in other namespaces.
    private static func entry(_ events: inout XMLEvents, in namespace: String?) throws(XMLFault) -> Entry? {
        var (location, lastModified): (String?, String?)
        let outer = events.depth - 1
        while events.depth > outer, let event = try events.next() {
            guard case .start(let element) = event else { continue }
            switch element.name {
            case XMLName("loc", in: namespace): location = try events.readText(atMost: 4096)
            case XMLName("lastmod", in: namespace): lastModified = try events.readText(atMost: 4096)
            default: try events.skipElement()
            }
        }
        guard let location else { return nil }
        return Entry(location: location, lastModified: lastModified.flatMap(Self.moment))
    }

    /// A W3C date or time is at most 32 letters long.
    private static func moment(_ text: String) -> String? {
        let trimmed = text.utf8.filter { $0 > 0x20 }
        return (1...64).contains(trimmed.count) ? String(decoding: trimmed, as: UTF8.self) : nil
    }
}
