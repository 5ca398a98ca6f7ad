import Testing

@testable import Assets

/// The bounds of a listing, and what makes it incomplete.
@Suite struct ListingProgressTests {
    private func progress(chosen: [String]? = nil, pages: Int = 10, items: Int = 100, barren: Int = 3)
        -> ListingProgress
    {
        var bounds = ListingProgress.Bounds(maxDocuments: 1)
        (bounds.pages, bounds.items, bounds.barrenPages) = (pages, items, barren)
        return ListingProgress(chosen: chosen?.map { SourceItem(key: $0, fileName: $0) }, bounds: bounds)
    }

    @Test func `a listing that came to its last page is complete`() {
        var listing = progress()
        listing.take(.init(next: ListingCursor("2"), keys: ["a"]))
        listing.take(.init(keys: ["b"]))
        #expect(listing.state == .isOver)
        #expect(listing.isComplete)
    }

    @Test func `one incomplete page makes the listing incomplete`() {
        var listing = progress()
        listing.take(.init(next: ListingCursor("2"), isIncomplete: true, keys: ["a"]))
        listing.take(.init(keys: ["b"]))
        #expect(!listing.isComplete)
    }

    @Test func `one page that keeps what vanished keeps it for the listing`() {
        var listing = progress()
        listing.take(.init(next: ListingCursor("2"), keepsVanished: true, keys: ["a"]))
        listing.take(.init())
        #expect(listing.keepsVanished)
    }

    @Test func `a listing that never ends ends after the most pages`() {
        var listing = progress(pages: 10)
        for page in 1...10 {
            #expect(listing.state != .isOver)
            listing.take(.init(next: ListingCursor("\(page)"), keys: ["\(page)"]))
        }
        #expect(listing.state == .isOver)
        #expect(!listing.isComplete)
    }

    @Test func `a listing ends after the most items`() {
        var listing = progress(items: 100)
        listing.take(.init(next: ListingCursor("2"), keys: (0..<100).map(String.init)))
        #expect(listing.state == .isOver)
        #expect(!listing.isComplete)
    }

    @Test func `pages that bring nothing new end a listing`() {
        var listing = progress(barren: 3)
        for _ in 0..<4 {
            #expect(listing.state != .isOver)
            listing.take(.init(next: ListingCursor("again"), keys: ["a", "b"]))
        }
        #expect(listing.state == .isOver)
        #expect(!listing.isComplete)
    }

    @Test func `some pages without items between others end nothing`() {
        var listing = progress(pages: 100, barren: 3)
        for page in 1...20 {
            listing.take(.init(next: ListingCursor("\(page)"), keys: page % 3 == 0 ? ["\(page)"] : []))
        }
        #expect(listing.state == .mayGoOn(ListingCursor("20")))
    }

    @Test func `chosen items are looked for until all are found`() {
        var listing = progress(chosen: ["b", "c"])
        listing.take(.init(next: ListingCursor("2"), keys: ["a", "b"]))
        #expect(listing.state == .mayGoOn(ListingCursor("2")))
        listing.take(.init(next: ListingCursor("3"), keys: ["c", "d"]))
        #expect(listing.state == .isOver)
        #expect(listing.takeMissing().isEmpty)
    }

    @Test func `chosen items that are not listed are given once`() {
        var listing = progress(chosen: ["b", "c"])
        listing.take(.init(keys: ["a", "b"]))
        #expect(listing.takeMissing().map(\.key) == ["c"])
        #expect(listing.takeMissing().isEmpty)
    }

    @Test func `a listing that is cut is over when its page is in`() {
        var listing = progress()
        listing.goOn()
        listing.cut()
        #expect(listing.state == .reads)
        listing.take(.init(next: ListingCursor("2"), keys: ["a"]))
        #expect(listing.state == .isOver)
        #expect(!listing.isComplete)
    }

    @Test func `chosen items that were not listed are settled`() {
        var run = PlanFixture(kind: .refresh, chosen: ["k1", "k2"])
        _ = run.start()
        _ = run.take(.found([QueuedItem(1, version: "a", kept: "a")], isFull: false))
        #expect(run.take(.listed(.init(keys: ["k1"]))) == ["add missing k2"])
        #expect(run.take(.foundMissing([QueuedItem(2)])) == ["settle 2 absent"])
        _ = run.finish(1)
        _ = run.finish(2)
        #expect(run.end == "listed incomplete")
    }

    @Test func `what does not fit ends the listing of a new asset`() {
        var run = PlanFixture()
        _ = run.start()
        _ = run.take(.found([QueuedItem(1)], isFull: true))
        _ = run.take(.listed(.init(next: ListingCursor("2"), keys: ["k1", "k2"])))
        _ = run.begin(1)
        #expect(run.finish(1).isEmpty)
        #expect(run.end == "listed incomplete full")
    }

    @Test func `what does not fit does not end the listing of a refresh`() {
        var run = PlanFixture(kind: .refresh)
        _ = run.start()
        _ = run.take(.found([], isFull: true))
        #expect(run.take(.listed(.init(next: ListingCursor("2"), keys: ["k1"]))) == ["list 2"])
    }
}
