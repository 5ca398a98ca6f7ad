import Formats
import Testing

@testable import AssetReaders

@Suite struct FrontierTests {
    private static func pages(_ names: String...) -> [WebAddress] {
        names.compactMap { WebAddress("https://a.example/\($0)") }
    }

    private static func names(_ found: [Frontier.Found]) -> [String] { found.map { $0.address.path } }

    @Test func `an address is given out once`() {
        var frontier = Frontier(mostPages: 10, deepest: 5)
        for address in Self.pages("a") { frontier.begin(address) }
        #expect(Self.names(frontier.add(Self.pages("a", "b", "b"), below: 0).found) == ["/b"])
        #expect(Self.names(frontier.add(Self.pages("b", "c"), below: 1).found) == ["/c"])
    }

    @Test func `links of the deepest pages are not followed, which cuts nothing off`() {
        var frontier = Frontier(mostPages: 10, deepest: 2)
        #expect(frontier.add(Self.pages("a"), below: 1).found.map(\.depth) == [2])
        let (found, isCut) = frontier.add(Self.pages("b"), below: 2)
        #expect(found.isEmpty && !isCut)
    }

    @Test func `beyond the most pages addresses wait, and the listing is cut`() {
        var frontier = Frontier(mostPages: 2, deepest: 5)
        let (found, isCut) = frontier.add(Self.pages("a", "b", "c"), below: 0)
        #expect(Self.names(found) == ["/a", "/b"])
        #expect(isCut)
    }

    @Test func `an address that is no page makes room for the next one`() {
        var frontier = Frontier(mostPages: 2, deepest: 5)
        _ = frontier.add(Self.pages("a", "b", "c", "c", "d"), below: 0)
        #expect(Self.names(frontier.release()) == ["/c"])
        #expect(Self.names(frontier.release()) == ["/d"])
        #expect(frontier.release().isEmpty)
    }

    @Test func `a redirect's target takes the place of the page that redirects`() {
        var frontier = Frontier(mostPages: 2, deepest: 5)
        _ = frontier.add(Self.pages("a", "b", "c"), below: 0)
        for address in Self.pages("x") {
            #expect(Self.names(frontier.release(leadingTo: Frontier.Found(address: address, depth: 1))) == ["/x"])
        }
    }

    @Test func `a target that is known takes no place`() {
        var frontier = Frontier(mostPages: 2, deepest: 5)
        _ = frontier.add(Self.pages("a", "b", "c"), below: 0)
        for address in Self.pages("a") {
            #expect(Self.names(frontier.release(leadingTo: Frontier.Found(address: address, depth: 1))) == ["/c"])
        }
    }

    @Test func `broken links without end are not followed without end`() {
        var (frontier, given) = (Frontier(mostPages: 10, deepest: 5), 0)
        given += frontier.add(Self.pages("first"), below: 0).found.count
        for number in 0..<1000 {
            given += frontier.add(Self.pages("\(number)"), below: 0).found.count
            given += frontier.release().count
        }
        #expect(given == 40)
    }
}
