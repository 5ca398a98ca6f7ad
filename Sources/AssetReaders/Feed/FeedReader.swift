import Assets
import Formats
import Secrets
import Transport

/// Reads the entries of a feed, whose text stands in the feed itself.
final class FeedReader: SourceReader {
    /// Far more than a feed has whose readers come every hour.
    private static let mostEntries = 10_000

    private let address: WebAddress
    private let web: WebClient
    /// In bytes.
    private let longest: Int
    /// The entries of the last listing: whoever queues them need not keep their texts.
    private let latest = Locked<[String: SourceItem]>([:])

    init(_ address: WebAddress, web: WebClient, longest: Int) {
        self.address = address
        self.web = web
        self.longest = longest
    }

    /// The feed has the entries' texts, of which their versions are made.
    var listsChosenItems: Bool { true }

    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage {
        let (feed, final) = try await feed()
        var (items, byKey) = ([SourceItem](), [String: SourceItem]())
        for entry in feed.entries {
            let item = Self.item(entry, at: final)
            // The newest stand first: an entry that comes again is an older state of it.
            guard byKey[item.key] == nil else { continue }
            byKey[item.key] = item
            items.append(item)
        }
        latest.withLock { $0 = byKey }
        return ListingPage(items: items, isIncomplete: feed.isCut, keepsVanished: true)
    }

    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading {
        guard let item = try await whole(item) else {
            // An entry that left the feed stays as it was.
            return ItemReading(version == nil ? .absent : .unchanged(nil))
        }
        guard let content = item.content, let current = item.version else { return ItemReading(.absent) }
        guard content.bytes.count <= longest else { throw .tooLarge }
        return ItemReading(version == current ? .unchanged(nil) : .content(content, current))
    }

    /// The item with its text; `nil` where it is not in the feed any more.
    private func whole(_ item: SourceItem) async throws(SourceFault) -> SourceItem? {
        if item.content != nil { return item }
        if let listed = latest.withLock({ $0[item.key] }) { return listed }
        return try await list(after: nil).items.first { $0.key == item.key }
    }

    private func feed() async throws(SourceFault) -> (Feed, at: WebAddress) {
        guard case .response(let response, let final, _) = try await web.get(address) else {
            throw .addressRefused("robots.txt of \(address.url.host) closes the feed")
        }
        guard response.isSuccess else { throw .refused(by: final.url.host, response.status) }
        let charset = ContentType(response.header("content-type")).charset
        let result = await blocking { () -> Result<Feed, XMLFault> in
            do throws(XMLFault) {
                return .success(try Feed(response.body, charset: charset, most: Self.mostEntries))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let feed): return (feed, final)
        case .failure(let fault): throw .rejected("the feed of \(final.url.host) cannot be read: \(fault.reason)")
        }
    }

    private static func item(_ entry: FeedEntry, at feed: WebAddress) -> SourceItem {
        // The title is all that some have to say.
        let content = entry.body ?? FeedEntry.text(entry.title ?? "")
        // An empty reference would lead to the feed itself.
        let address = entry.link.flatMap { $0.utf8.contains { $0 > 0x20 } ? feed.resolving($0) : nil }
        let digest = Digest(of: content.bytes).hex
        return SourceItem(
            key: key(entry.id) ?? address?.text ?? digest,
            fileName: FileName.cleaned(entry.title) ?? address.map { FileName.last(of: $0) } ?? "entry",
            contentType: content.contentType, sourceURL: address?.text, size: content.bytes.count,
            version: ItemVersion(digest), content: content)
    }

    /// An id as it is, where it can be kept; else its hash. `nil` where it is empty.
    private static func key(_ id: String?) -> String? {
        guard let id else { return nil }
        let bytes = id.utf8.filter { $0 > 0x20 }
        guard !bytes.isEmpty else { return nil }
        return id.utf8.count <= 2048 && id.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } ? id : Digest(of: id).hex
    }
}
