import Formats

/// The addresses of a website that were found, and those that wait until there is room for one more page.
///
/// An address that turns out to be no page makes room for another, so that broken links cost a site none of its pages.
struct Frontier: Sendable {
    struct Found: Sendable, Hashable {
        let address: WebAddress
        /// The number of links that lead to it from the first page.
        let depth: Int
    }

    private let mostPages: Int
    private let deepest: Int
    /// Those that were given out.
    private var known: Set<WebAddress> = []
    /// The number of those that are pages, or may turn out to be.
    private var pages = 0
    /// In the order in which they were found.
    private var waiting: [Found] = []

    init(mostPages: Int, deepest: Int) {
        self.mostPages = mostPages
        self.deepest = deepest
    }

    /// A site can make up links without end: that many addresses for each page that is wanted, and no more.
    private var mostAddresses: Int { mostPages * 4 }
    private static let mostWaiting = 10_000

    /// Counts an address that is to be read, unless it was counted before.
    mutating func begin(_ address: WebAddress) {
        if known.insert(address).inserted { pages += 1 }
    }

    /// Notes another address of a page that was given out: a link to it leads to nothing new.
    mutating func note(_ alias: WebAddress) { known.insert(alias) }

    /// Takes links of a page at a depth. Gives those that are to be read now, and tells whether others have to wait.
    mutating func add(_ addresses: [WebAddress], below depth: Int) -> (found: [Found], isCut: Bool) {
        guard depth < deepest else { return ([], false) }
        var (found, isCut) = ([Found](), false)
        for address in addresses where !known.contains(address) {
            let next = Found(address: address, depth: depth + 1)
            if hasRoom {
                give(next)
                found.append(next)
            } else {
                isCut = true
                if waiting.count < Self.mostWaiting { waiting.append(next) }
            }
        }
        return (found, isCut)
    }

    /// Counts an address as no page. Gives those that may be read in its place.
    ///
    /// - Parameter target: the page that it redirects to.
    mutating func release(leadingTo target: Found? = nil) -> [Found] {
        pages -= 1
        if let target { waiting.insert(target, at: 0) }
        var (found, passed) = ([Found](), 0)
        for next in waiting {
            guard hasRoom else { break }
            passed += 1
            if known.contains(next.address) { continue }
            give(next)
            found.append(next)
        }
        waiting.removeFirst(passed)
        return found
    }

    private var hasRoom: Bool { pages < mostPages && known.count < mostAddresses }

    private mutating func give(_ found: Found) {
        known.insert(found.address)
        pages += 1
    }
}
