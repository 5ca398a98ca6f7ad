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
    private var known: [WebAddress: Known] = [:]
    /// The number of those that are pages, or may turn out to be.
    private var pages = 0
    /// In the order in which they were found.
    private var waiting: [Found] = []
    /// Links were left out since the pages on which they stand are the deepest.
    private var isCutByDepth = false
    /// A page turned out to be less deep than it was when its links were followed: in which order pages answer is chance.
    private var wasTooDeep = false

    private struct Known: Sendable, Hashable {
        var depth: Int
        var isFollowed = false
    }

    init(mostPages: Int, deepest: Int) {
        self.mostPages = mostPages
        self.deepest = deepest
    }

    /// A site can make up links without end: that many addresses for each page that is wanted, and no more.
    private var mostAddresses: Int { mostPages * 4 }
    private static let mostWaiting = 10_000

    /// Counts an address that is to be read, unless it was counted before.
    mutating func begin(_ address: WebAddress, at depth: Int) {
        guard known[address] == nil else { return }
        known[address] = Known(depth: depth)
        pages += 1
    }

    /// Notes another address of a page that was given out: a link to it leads to nothing new.
    mutating func note(_ alias: WebAddress) { known[alias] = known[alias] ?? Known(depth: 0) }

    /// Takes the links of a page that was begun. Gives those that are to be read now, and tells whether others are left
    /// out that may belong to the site.
    mutating func add(_ addresses: [WebAddress], of page: WebAddress) -> (found: [Found], isCut: Bool) {
        let depth = known[page]?.depth ?? deepest
        known[page]?.isFollowed = true
        guard depth < deepest else {
            isCutByDepth = isCutByDepth || addresses.contains { known[$0] == nil }
            return ([], isCutByDepth && wasTooDeep)
        }
        var (found, isCut) = ([Found](), false)
        for address in addresses {
            if let other = known[address] {
                lower(other, at: address, to: depth + 1)
                continue
            }
            let next = Found(address: address, depth: depth + 1)
            if hasRoom {
                give(next)
                found.append(next)
            } else {
                isCut = true
                if waiting.count < Self.mostWaiting { waiting.append(next) }
            }
        }
        return (found, isCut || (isCutByDepth && wasTooDeep))
    }

    /// Addresses that may belong to the site are left out, for now or for good.
    var isCut: Bool { !waiting.isEmpty || (isCutByDepth && wasTooDeep) }

    private mutating func lower(_ other: Known, at address: WebAddress, to depth: Int) {
        guard depth < other.depth else { return }
        known[address]?.depth = depth
        wasTooDeep = wasTooDeep || other.isFollowed
    }

    /// Counts an address as no page. Gives those that may be read in its place.
    ///
    /// - Parameter target: the page that it redirects to.
    mutating func release(leadingTo target: Found? = nil) -> [Found] {
        pages -= 1
        if let target {
            if let other = known[target.address] {
                lower(other, at: target.address, to: target.depth)
            } else {
                waiting.insert(target, at: 0)
            }
        }
        var (found, passed) = ([Found](), 0)
        for next in waiting {
            guard hasRoom else { break }
            passed += 1
            if known[next.address] != nil { continue }
            give(next)
            found.append(next)
        }
        waiting.removeFirst(passed)
        return found
    }

    private var hasRoom: Bool { pages < mostPages && known.count < mostAddresses }

    private mutating func give(_ found: Found) {
        known[found.address] = Known(depth: found.depth)
        pages += 1
    }
}
