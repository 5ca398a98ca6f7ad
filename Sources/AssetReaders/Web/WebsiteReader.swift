import Assets
import Formats
import Secrets
import Transport

/// Reads a website: its first page, and what links lead to, page by page.
///
/// Its listing is that first page. Each page tells its links when it is read, also where it did not change, and also
/// where `rel="nofollow"` stands on them: that is about the worth of a page, not about who may read it.
final class WebsiteReader: SourceReader {
    private let first: WebAddress
    private let scope: CrawlScope
    private let pages: PageReader
    private let frontier: Locked<Frontier>
    /// The depth of a page whose note is lost: its links are not followed.
    private let deepest: Int

    /// - Parameter found: those that an earlier process found.
    init(_ first: WebAddress, mostPages: Int, deepest: Int, found: [LinkedItem], pages: PageReader) {
        self.first = first
        self.pages = pages
        self.deepest = deepest
        scope = CrawlScope(of: first)
        var frontier = Frontier(mostPages: mostPages, deepest: deepest)
        for item in found {
            guard let address = WebAddress(item.key) else { continue }
            if item.isAbsent {
                frontier.note(address)
            } else {
                frontier.begin(address, at: Self.depth(item.note) ?? deepest)
            }
        }
        self.frontier = Locked(frontier)
    }

    /// Only reading tells whether a page changed.
    var listsChosenItems: Bool { false }

    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage {
        frontier.withLock { $0.begin(first, at: 0) }
        var item = Self.item(Frontier.Found(address: first, depth: 0))
        item.isWholeSource = true
        return ListingPage(items: [item])
    }

    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading {
        guard let address = WebAddress(item.key) else { throw .rejected("the address of the page is none") }
        frontier.withLock { $0.begin(address, at: depth(of: item)) }
        let known = PageVersion(version)
        switch try await pages.read(address, since: known) {
        case .none(let fault):
            if item.isWholeSource { throw fault }
            return release(leadingTo: nil)
        // Its links are not known, so the listing has a gap.
        case .closed(let why): throw item.isWholeSource ? .addressRefused(why) : .rejected(why)
        case .notModified:
            return reading(.unchanged(nil), address, links: known?.links ?? [], movedTo: known?.address)
        case .page(let response, let type, let charset, let final, let isForNow):
            // It may have to be logged in to, say: a page that is kept is not gone.
            let isElsewhere = isForNow && known.map { final != $0.address ?? address } == true
            if isElsewhere, !item.isWholeSource {
                throw .rejected("\(address.url.host) redirects this page to another one for now")
            }
            if final != address, !item.isWholeSource {
                // The page is the one that it leads to, if it is one of ours: two addresses are no two documents.
                let target = Frontier.Found(address: final, depth: depth(of: item))
                return release(leadingTo: scope.contains(final) ? target : nil)
            }
            let links = await links(in: response, type, charset, at: final).filter(scope.contains)
            let new = PageVersion(of: response, links: links, at: final == address ? nil : final)
            let content = SourceContent(bytes: response.body, contentType: type, charset: charset)
            let isSame = new.digest == known?.digest
            let outcome = isSame ? ItemReading.Outcome.unchanged(new.item) : .content(content, new.item)
            var reading = reading(
                outcome, address, links: links.addresses, movedTo: final == address ? nil : final)
            reading.isIncomplete = reading.isIncomplete || links.isCut || isElsewhere
            return reading
        }
    }

    private func links(
        in response: TransportResponse, _ type: String, _ charset: String?, at address: WebAddress
    ) async -> PageLinks {
        guard type == "text/html" else { return .none }
        // Megabytes of HTML take a while.
        return await blocking { PageLinks(in: response.body, charset: charset, at: address) }
    }

    /// A reading with the links that are to be followed.
    ///
    /// - Parameter moved: the address to which the first page redirects.
    private func reading(
        _ outcome: ItemReading.Outcome, _ page: WebAddress, links: [WebAddress], movedTo moved: WebAddress?
    ) -> ItemReading {
        let (found, isCut) = frontier.withLock { frontier in
            if let moved { frontier.note(moved) }
            return frontier.add(links, of: page)
        }
        return ItemReading(outcome, found: found.map(Self.item), isIncomplete: isCut)
    }

    private func release(leadingTo target: Frontier.Found?) -> ItemReading {
        let (found, isCut) = frontier.withLock { ($0.release(leadingTo: target), $0.isCut) }
        return ItemReading(.absent, found: found.map(Self.item), isIncomplete: isCut)
    }

    private func depth(of item: SourceItem) -> Int { Self.depth(item.note) ?? deepest }

    private static func depth(_ note: String?) -> Int? { note.flatMap { Int($0) } }

    private static func item(_ found: Frontier.Found) -> SourceItem {
        SourceItem(
            key: found.address.text, fileName: FileName.last(of: found.address), sourceURL: found.address.text,
            note: String(found.depth))
    }
}
