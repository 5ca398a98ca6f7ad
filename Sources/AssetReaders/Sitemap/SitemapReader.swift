import Assets
import Formats
import Secrets
import Transport

/// Reads the pages that a sitemap lists, and those of the sitemaps that an index lists, all of one origin.
final class SitemapReader: SourceReader {
    private struct State: Sendable {
        /// Those that were found, in order: the cursor is a place in it.
        var sitemaps: [(address: WebAddress, depth: Int)] = []
        var knownSitemaps: Set<WebAddress> = []
        var pages: Set<WebAddress> = []
    }

    /// An index of indexes is none by the protocol, but there are some.
    private static let deepest = 3
    private static let mostSitemaps = 1000
    /// The protocol's own bound, unpacked.
    private static let longest = 50 << 20

    private let first: WebAddress
    private let mostPages: Int
    private let pages: PageReader
    private let state = Locked(State())

    init(_ first: WebAddress, mostPages: Int, pages: PageReader) {
        self.first = first
        self.mostPages = mostPages
        self.pages = pages
    }

    /// `lastmod` stands in the sitemap.
    var listsChosenItems: Bool { true }

    /// One sitemap after the other.
    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage {
        let place = cursor.flatMap { Int($0.text) } ?? 0
        if place == 0 { begin() }
        guard let next = state.withLock({ $0.sitemaps.indices.contains(place) ? $0.sitemaps[place] : nil }) else {
            return ListingPage(items: [])
        }
        do throws(SourceFault) {
            let sitemap = try await sitemap(at: next.address)
            return take(sitemap, at: next.depth, after: place)
        } catch {
            // Where one of many is broken, the others still count.
            if place == 0 || error == .cancelled { throw error }
            return ListingPage(items: [], next: following(place), isIncomplete: true)
        }
    }

    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading {
        guard let address = WebAddress(item.key) else { throw .rejected("the address of the page is none") }
        let known = PageVersion(version)
        switch try await pages.read(address, since: known) {
        case .none: return ItemReading(.absent)
        case .closed(let why): throw .rejected(why)
        case .notModified: return ItemReading(.unchanged(item.version))
        case .page(let response, let type, let charset, let final, let isForNow):
            if final.origin != first.origin {
                // It may have to be logged in to, say: a document that is kept is not gone.
                if isForNow, version != nil { throw .rejected(Self.elsewhere(address)) }
                return ItemReading(.absent)
            }
            let new = PageVersion(of: response, links: .none, at: nil)
            // Where the sitemap tells the time of the last change, that is asked for the next time.
            let next = item.version ?? new.item
            if new.digest == known?.digest { return ItemReading(.unchanged(next)) }
            return ItemReading(.content(SourceContent(bytes: response.body, contentType: type, charset: charset), next))
        }
    }

    private static func elsewhere(_ address: WebAddress) -> String {
        "\(address.url.host) redirects this address to another site for now"
    }

    // MARK: listing

    private func begin() {
        state.withLock { $0 = State(sitemaps: [(first, 0)], knownSitemaps: [first]) }
    }

    private func sitemap(at address: WebAddress) async throws(SourceFault) -> Sitemap {
        let host = address.url.host
        guard case .response(let response, _, _) = try await pages.web.get(address) else {
            throw .addressRefused("robots.txt of \(host) closes the sitemap")
        }
        guard response.isSuccess else { throw .refused(by: host, response.status) }
        let charset = ContentType(response.header("content-type")).charset
        let most = mostPages
        // Fifty megabytes take a while to unpack and to read.
        let result = await blocking { () -> Result<Sitemap, SourceFault> in
            guard let bytes = Self.unpacked(response.body) else { return .failure(.tooLarge) }
            do throws(XMLFault) {
                return .success(try Sitemap(bytes, charset: charset, most: max(most, Self.mostSitemaps)))
            } catch {
                return .failure(.rejected("the sitemap of \(host) cannot be read: \(error.reason)"))
            }
        }
        return try result.get()
    }

    /// The bytes of a sitemap, packed or not (RFC 1952 § 2.3.1: two bytes tell); `nil` where they are too many.
    private static func unpacked(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes.count <= longest ? bytes : nil }
        do throws(TransportError) {
            // What breaks off is no XML either, and is told so.
            return try Inflation.unpacked(bytes, .wrapped, cap: longest) ?? []
        } catch {
            return nil
        }
    }

    private func take(_ sitemap: Sitemap, at depth: Int, after place: Int) -> ListingPage {
        let isCut = sitemap.isIndex ? addSitemaps(sitemap.entries, below: depth) : false
        let (items, isFull) = sitemap.isIndex ? ([], false) : addPages(sitemap.entries)
        let next = following(place)
        let isIncomplete = isCut || sitemap.isCut || isFull
        // What the other sitemaps have, nobody will know.
        return ListingPage(items: items, next: isFull ? nil : next, isIncomplete: isIncomplete)
    }

    private func following(_ place: Int) -> ListingCursor? {
        state.withLock { $0.sitemaps.count } > place + 1 ? ListingCursor(String(place + 1)) : nil
    }

    /// Tells whether some were left out.
    private func addSitemaps(_ entries: [Sitemap.Entry], below depth: Int) -> Bool {
        let found = entries.compactMap { WebAddress($0.location) }.filter { $0.origin == first.origin }
        guard depth < Self.deepest else { return !found.isEmpty }
        return state.withLock { state in
            for address in found where !state.knownSitemaps.contains(address) {
                guard state.sitemaps.count < Self.mostSitemaps else { return true }
                state.knownSitemaps.insert(address)
                state.sitemaps.append((address, depth + 1))
            }
            return false
        }
    }

    /// Gives the pages that are new, and tells whether some were left out.
    private func addPages(_ entries: [Sitemap.Entry]) -> (items: [SourceItem], isFull: Bool) {
        state.withLock { state in
            var items: [SourceItem] = []
            for entry in entries {
                guard let address = WebAddress(entry.location), address.origin == first.origin,
                    !state.pages.contains(address)
                else { continue }
                guard state.pages.count < mostPages else { return (items, true) }
                state.pages.insert(address)
                items.append(Self.item(address, lastModified: entry.lastModified))
            }
            return (items, false)
        }
    }

    private static func item(_ address: WebAddress, lastModified: String?) -> SourceItem {
        SourceItem(
            key: address.text, fileName: FileName.last(of: address), sourceURL: address.text,
            version: lastModified.map { ItemVersion("lastmod " + $0) })
    }
}
