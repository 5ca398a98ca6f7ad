import Formats
import Testing

@testable import AssetReaders

@Suite struct FrontierTests {
    private static func pages(_ names: String...) -> [WebAddress] {
        names.compactMap { WebAddress("https://a.example/\($0)") }
    }

    private static func names(_ found: [Frontier.Found]) -> [String] { found.map { $0.address.path } }

    /// A frontier with its first page, which has an empty name.
    private static func frontier(mostPages: Int, deepest: Int = 5) -> Frontier {
        var frontier = Frontier(mostPages: mostPages, deepest: deepest)
        for address in pages("") { frontier.begin(address, at: 0) }
        return frontier
    }

    @Test func `an address is given out once`() {
        var frontier = Self.frontier(mostPages: 10)
        #expect(Self.names(frontier.add("", "a", "b", "b").found) == ["/a", "/b"])
        #expect(Self.names(frontier.add("b", "a", "c").found) == ["/c"])
    }

    @Test func `links of the deepest pages are not followed, which cuts nothing off`() {
        var frontier = Self.frontier(mostPages: 10, deepest: 1)
        #expect(frontier.add("", "a").found.map(\.depth) == [1])
        let (found, isCut) = frontier.add("a", "b")
        #expect(found.isEmpty && !isCut)
    }

    @Test func `a page that is less deep than it seemed is so deep when its links are followed`() {
        var frontier = Self.frontier(mostPages: 10, deepest: 3)
        _ = frontier.add("", "a", "b")
        _ = frontier.add("b", "c")
        #expect(frontier.add("c", "d").found.map(\.depth) == [3])
        #expect(!frontier.add("a", "d").isCut)
        let (found, isCut) = frontier.add("d", "e")
        #expect(found.map(\.depth) == [3] && !isCut)
    }

    @Test func `where that comes too late, and pages are left out for their depth, the listing is cut`() {
        var frontier = Self.frontier(mostPages: 10, deepest: 3)
        _ = frontier.add("", "a", "b")
        _ = frontier.add("b", "c")
        _ = frontier.add("c", "d")
        #expect(!frontier.add("d", "e").isCut)
        #expect(frontier.add("a", "d").isCut)
        #expect(frontier.isCut)
    }

    @Test func `where that comes too late, and no page is left out, the listing is whole`() {
        var frontier = Self.frontier(mostPages: 10, deepest: 3)
        _ = frontier.add("", "a", "b")
        _ = frontier.add("b", "c")
        _ = frontier.add("c", "d")
        #expect(!frontier.add("d", "a").isCut)
        #expect(!frontier.add("a", "d").isCut)
    }

    @Test func `beyond the most pages addresses wait, and the listing is cut`() {
        var frontier = Self.frontier(mostPages: 3)
        let (found, isCut) = frontier.add("", "a", "b", "c")
        #expect(Self.names(found) == ["/a", "/b"])
        #expect(isCut)
    }

    @Test func `an address that is no page makes room for the next one`() {
        var frontier = Self.frontier(mostPages: 3)
        _ = frontier.add("", "a", "b", "c", "c", "d")
        #expect(Self.names(frontier.release()) == ["/c"])
        #expect(Self.names(frontier.release()) == ["/d"])
        #expect(frontier.release().isEmpty)
    }

    @Test func `a redirect's target takes the place of the page that redirects`() {
        var frontier = Self.frontier(mostPages: 3)
        _ = frontier.add("", "a", "b", "c")
        for address in Self.pages("x") {
            #expect(Self.names(frontier.release(leadingTo: Frontier.Found(address: address, depth: 1))) == ["/x"])
        }
    }

    @Test func `a target that is known takes no place`() {
        var frontier = Self.frontier(mostPages: 3)
        _ = frontier.add("", "a", "b", "c")
        for address in Self.pages("a") {
            #expect(Self.names(frontier.release(leadingTo: Frontier.Found(address: address, depth: 1))) == ["/c"])
        }
    }

    @Test func `broken links without end are not followed without end`() {
        var (frontier, given) = (Self.frontier(mostPages: 10), 0)
        for number in 0..<1000 {
            given += frontier.add("", "\(number)").found.count
            given += frontier.release().count
        }
        #expect(given == 39)
    }
}

extension Frontier {
    fileprivate mutating func add(_ page: String, _ names: String...) -> (found: [Found], isCut: Bool) {
        let addresses = ([page] + names).compactMap { WebAddress("https://a.example/\($0)") }
        return add(Array(addresses.dropFirst()), of: addresses[0])
    }
}
