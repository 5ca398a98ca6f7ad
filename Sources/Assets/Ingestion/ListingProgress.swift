/// The listing of a source, page by page, and the bounds that end one that never ends.
struct ListingProgress: Sendable {
    /// The most that a source may list. Far above what is kept of it, since what is beyond may be known already.
    struct Bounds: Sendable {
        var pages: Int
        var items: Int
        /// Pages one after another that bring nothing new. Empty folders are such pages.
        var barrenPages = 1000

        init(maxDocuments: Int) {
            let documents = min(max(maxDocuments, 1), 10_000_000)
            pages = 10 * documents + 1000
            items = 10 * documents + 10_000
        }
    }

    /// A page of the listing, without its items.
    struct Page: Sendable {
        var next: ListingCursor?
        var isIncomplete = false
        var keepsVanished = false
        /// Of its items, whether anybody chose them or not.
        var keys: [String] = []
    }

    enum State: Sendable, Equatable {
        case reads
        /// The page after this place may be listed.
        case mayGoOn(ListingCursor?)
        case isOver
    }

    private(set) var state = State.mayGoOn(nil)
    private(set) var isComplete = true
    private(set) var keepsVanished = false
    /// Chosen items that were not listed so far; `nil` where all are wanted.
    private var missing: [String: SourceItem]?
    private var isCut = false
    private let bounds: Bounds
    private var (pages, items, barrenPages) = (0, 0, 0)
    /// Of the keys seen: as many as `bounds.items` keys of 2 KiB would be too much to keep.
    private var seen: Set<Int> = []

    init(chosen: [SourceItem]?, bounds: Bounds) {
        self.bounds = bounds
        missing = chosen.map { Dictionary($0.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first }) }
        if missing?.isEmpty == true { state = .isOver }
    }

    /// Notes that the next page is being listed.
    mutating func goOn() { state = .reads }

    mutating func take(_ page: Page) {
        pages += 1
        items += page.keys.count
        let before = seen.count
        for key in page.keys {
            seen.insert(key.hashValue)
            missing?[key] = nil
        }
        barrenPages = seen.count > before ? 0 : barrenPages + 1
        isComplete = isComplete && !page.isIncomplete
        keepsVanished = keepsVanished || page.keepsVanished
        guard let next = page.next, missing?.isEmpty != true else { return state = .isOver }
        let isBounded = pages < bounds.pages && items < bounds.items && barrenPages < bounds.barrenPages
        if !isBounded { cut() }
        state = isCut ? .isOver : .mayGoOn(next)
    }

    /// The chosen items that were not listed. Gives them once.
    mutating func takeMissing() -> [SourceItem] {
        defer { missing?.removeAll() }
        return missing.map { Array($0.values) } ?? []
    }

    /// Ends the listing before its last page. One that is being listed is still taken.
    mutating func cut() {
        isComplete = false
        isCut = true
        if case .mayGoOn = state { state = .isOver }
    }
}
