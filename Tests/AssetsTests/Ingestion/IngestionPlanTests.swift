import Testing

@testable import Assets

/// The steps of one operation, from what became of those before.
@Suite struct IngestionPlanTests {
    @Test func `an empty source ends at once`() {
        var run = PlanFixture()
        #expect(run.start() == ["list first"])
        #expect(run.take(.listed(.init())).isEmpty)
        #expect(run.end == "listed complete")
    }

    @Test func `pages are listed one after the other`() {
        var run = PlanFixture()
        _ = run.start()
        #expect(run.take(.listed(.init(next: ListingCursor("2"), keys: ["a"]))) == ["list 2"])
        #expect(run.take(.listed(.init(next: ListingCursor("3"), keys: ["b"]))) == ["list 3"])
    }

    @Test func `items are begun while the source is still listed`() {
        var run = PlanFixture()
        _ = run.start()
        #expect(run.take(.found([QueuedItem(1)], isFull: false)) == ["begin 1"])
        #expect(run.begin(1) == ["read 1"])
    }

    @Test func `no more items are begun than there are places`() {
        var run = PlanFixture(places: 2)
        _ = run.start()
        #expect(run.find(1, 2, 3, 4) == ["begin 1 2"])
        #expect(run.begin(1, 2) == ["read 1", "read 2"])
        #expect(run.finish(1) == ["begin 3"])
        #expect(run.begin(3) == ["read 3"])
    }

    @Test func `a place is free as soon as its document is only to be written down`() {
        var run = PlanFixture(places: 1)
        _ = run.start()
        _ = run.find(1, 2)
        _ = run.begin(1)
        #expect(run.take(.leftPlace(ItemID(1)), after: .seconds(1)) == ["begin 2"])
        _ = run.begin(2)
        #expect(run.finish(1).isEmpty)
        #expect(run.end == nil)
        _ = run.finish(2)
        #expect(run.end == "listed complete")
    }

    @Test func `documents that are fast share a commit of their beginning`() {
        var run = PlanFixture(places: 2)
        _ = run.start()
        _ = run.take(.found((1...100).map { QueuedItem($0) }, isFull: false))
        _ = run.begin(1, 2, after: .milliseconds(1))
        _ = run.take(.leftPlace(ItemID(1)), after: .milliseconds(1))
        _ = run.take(.leftPlace(ItemID(2)), after: .milliseconds(1))
        let steps = run.begin(3, after: .milliseconds(1))
        #expect(steps.first == "read 3")
        #expect(steps.last == "begin 4 5")
    }

    @Test func `documents that are slow are not marked before they have a place`() {
        var run = PlanFixture(places: 2)
        _ = run.start()
        _ = run.take(.found((1...100).map { QueuedItem($0) }, isFull: false))
        _ = run.begin(1, 2)
        for id in Int64(3)...10 {
            #expect(run.take(.leftPlace(ItemID(id - 2)), after: .seconds(1)) == ["begin \(id)"])
            #expect(run.begin(id) == ["read \(id)"])
        }
    }

    @Test func `an item that is found again is not read again`() {
        var run = PlanFixture()
        _ = run.start()
        _ = run.take(.found([QueuedItem(1)], isFull: false))
        #expect(run.take(.found([QueuedItem(1)], isFull: false)).isEmpty)
        #expect(run.take(.listed(.init())).isEmpty)
        #expect(run.begin(1) == ["read 1"])
        #expect(run.finish(1, found: [QueuedItem(1)]).isEmpty)
        #expect(run.end == "listed complete")
    }

    @Test func `what a document led to is read too`() {
        var run = PlanFixture()
        _ = run.start()
        _ = run.find(1)
        _ = run.begin(1)
        #expect(run.finish(1, found: [QueuedItem(2)]) == ["begin 2"])
        #expect(run.end == nil)
    }

    @Test func `an item of the kept version is not read`() {
        var run = PlanFixture()
        _ = run.start()
        let steps = run.take(.found([QueuedItem(1, version: "a", kept: "a")], isFull: false))
        #expect(steps == ["settle 1 unchanged(nil)"])
    }

    @Test(arguments: [nil, "b"])
    func `an item of another version is read`(_ version: String?) {
        var run = PlanFixture()
        _ = run.start()
        #expect(run.take(.found([QueuedItem(1, version: version, kept: "a")], isFull: false)) == ["begin 1"])
    }

    @Test func `where nothing is to be skipped, the kept version is read too`() {
        var run = PlanFixture(isForced: true)
        _ = run.start()
        #expect(run.take(.found([QueuedItem(1, version: "a", kept: "a")], isFull: false)) == ["begin 1"])
    }

    @Test func `a listing that brings many items waits`() {
        var run = PlanFixture(places: 1, queuedItems: 3)
        _ = run.start()
        _ = run.take(.found((1...4).map { QueuedItem($0) }, isFull: false))
        #expect(run.take(.listed(.init(next: ListingCursor("2"), keys: ["a"]))).isEmpty)
        _ = run.begin(1)
        #expect(run.finish(1) == ["begin 2", "list 2"])
    }

    @Test func `a listing of many items that have not changed waits too`() {
        var run = PlanFixture(places: 1, besides: 0, queuedItems: 2)
        _ = run.start()
        _ = run.take(.found((1...4).map { QueuedItem($0, version: "1", kept: "1") }, isFull: false))
        #expect(run.take(.listed(.init(next: ListingCursor("2"), keys: ["a"]))).isEmpty)
        #expect(run.finish(1).count == 1)
        #expect(run.finish(2).last == "list 2")
    }

    @Test func `nothing follows the end`() {
        var run = PlanFixture(places: 1)
        _ = run.start()
        _ = run.find(1, 2)
        _ = run.begin(1)
        #expect(run.take(.stops(.cancelled)).isEmpty)
        #expect(run.finish(1).isEmpty)
        #expect(run.end == "cancelled")
    }

    @Test func `of two reasons to stop the first counts`() {
        var run = PlanFixture()
        _ = run.start()
        _ = run.take(.stops(.failed(.init(.embedderFailed, "it is gone"))))
        _ = run.take(.stops(.dropped))
        #expect(run.end == "failed embedder_failed")
    }
}

/// Documents that wait, and those that were in work when a process ended.
@Suite struct IngestionPlacesTests {
    @Test func `a document that waits gives its place to another`() {
        var run = PlanFixture(places: 1)
        _ = run.start()
        _ = run.find(1, 2)
        _ = run.begin(1)
        #expect(run.take(.paused(ItemID(1), heldBytes: 0)) == ["begin 2"])
        #expect(run.begin(2) == ["read 2"])
    }

    @Test func `it goes on when there is a place again, before another is begun`() async {
        var run = PlanFixture(places: 1)
        _ = run.start()
        _ = run.find(1, 2, 3)
        _ = run.begin(1)
        _ = run.take(.paused(ItemID(1), heldBytes: 0))
        _ = run.begin(2)
        await withTurn { turn in
            #expect(run.take(.wantsPlace(ItemID(1), turn)).isEmpty)
            #expect(run.take(.leftPlace(ItemID(2)), after: .seconds(1)) == ["go on"])
        }
        #expect(run.finish(2).isEmpty)
        #expect(run.finish(1) == ["begin 3"])
    }

    @Test func `parts of a document that wait beside one another give one place away`() async {
        var run = PlanFixture(places: 1)
        _ = run.start()
        _ = run.find(1, 2, 3)
        _ = run.begin(1)
        _ = run.take(.paused(ItemID(1), heldBytes: 0))
        #expect(run.take(.paused(ItemID(1), heldBytes: 0)).isEmpty)
        _ = run.begin(2)
        await withTurn { turn in #expect(run.take(.wantsPlace(ItemID(1), turn)) == ["go on"]) }
        await withTurn { turn in
            #expect(run.take(.wantsPlace(ItemID(1), turn)).isEmpty)
            #expect(run.finish(2) == ["go on"])
        }
        #expect(run.finish(1) == ["begin 3"])
    }

    @Test func `somebody who waits for a document that is done goes on at once`() async {
        var run = PlanFixture(places: 1)
        _ = run.start()
        _ = run.find(1, 2)
        _ = run.begin(1)
        _ = run.finish(1)
        _ = run.begin(2)
        #expect(run.take(.paused(ItemID(1), heldBytes: 10)).isEmpty)
        await withTurn { turn in #expect(run.take(.wantsPlace(ItemID(1), turn)) == ["go on"]) }
    }

    @Test func `whoever waits for a place goes on when the operation ends`() async {
        var run = PlanFixture(places: 1)
        _ = run.start()
        _ = run.find(1, 2)
        _ = run.begin(1)
        _ = run.take(.paused(ItemID(1), heldBytes: 0))
        _ = run.begin(2)
        await withTurn { turn in
            #expect(run.take(.wantsPlace(ItemID(1), turn)).isEmpty)
            #expect(run.take(.stops(.cancelled)) == ["go on"])
        }
        await withTurn { turn in #expect(run.take(.wantsPlace(ItemID(2), turn)) == ["go on"]) }
    }

    @Test func `as many documents wait as may, then no other is begun`() {
        var run = PlanFixture(places: 1, besides: 2)
        _ = run.start()
        _ = run.find(1, 2, 3, 4)
        for id in Int64(1)...3 {
            _ = run.begin(id)
            _ = run.take(.paused(ItemID(id), heldBytes: 0))
        }
        #expect(run.take(.paused(ItemID(9), heldBytes: 0)).isEmpty)
        #expect(run.finish(3) == ["begin 4"])
    }

    @Test func `documents that wait with much in memory let no other begin`() async {
        var run = PlanFixture(places: 1, pausedBytes: 1000)
        _ = run.start()
        _ = run.find(1, 2, 3)
        _ = run.begin(1)
        #expect(run.take(.paused(ItemID(1), heldBytes: 1000)).isEmpty)
        await withTurn { turn in #expect(run.take(.wantsPlace(ItemID(1), turn)) == ["go on"]) }
        #expect(run.finish(1) == ["begin 2"])
    }

    @Test func `an item that was in work at an end of the process is not marked before it has a place`() {
        var run = PlanFixture(places: 1)
        _ = run.start()
        _ = run.take(.found([QueuedItem(1)] + (2...9).map { QueuedItem($0, crashes: 1) }, isFull: false))
        _ = run.begin(2, after: .microseconds(1))
        for id in Int64(2)...8 {
            #expect(run.take(.leftPlace(ItemID(id)), after: .microseconds(1)) == ["begin \(id + 1)"])
            #expect(run.begin(id + 1, after: .microseconds(1)).first == "read \(id + 1)")
        }
    }

    @Test func `of items that were in work at two ends of the process one is begun at a time`() {
        var run = PlanFixture(places: 3)
        _ = run.start()
        #expect(run.find(1, 2, crashes: 2) == ["begin 1"])
        #expect(run.begin(1) == ["read 1"])
        #expect(run.finish(1) == ["begin 2"])
    }

    @Test func `others go on beside one that was in work at two ends of the process`() {
        var run = PlanFixture(places: 3)
        _ = run.start()
        _ = run.take(.found([QueuedItem(1, crashes: 2), QueuedItem(2), QueuedItem(3)], isFull: false))
        #expect(run.begin(1) == ["read 1", "begin 2 3"])
    }

    @Test func `one that was in work at two ends of the process and waits holds up no other such`() {
        var run = PlanFixture(places: 3)
        _ = run.start()
        _ = run.find(1, 2, crashes: 2)
        _ = run.begin(1)
        #expect(run.take(.paused(ItemID(1), heldBytes: 0)) == ["begin 2"])
    }
}

extension PlanFixture {
    /// The reason why nothing follows.
    var end: String? {
        switch plan.stop {
        case nil: nil
        case .listed(let isComplete, let keepsVanished, let isFull):
            "listed \(isComplete ? "complete" : "incomplete")\(keepsVanished ? " keeping" : "")\(isFull ? " full" : "")"
        case .failed(let failure): "failed \(failure.code.rawValue)"
        case .cancelled: "cancelled"
        case .ended: "ended"
        case .storeLost: "store lost"
        case .dropped: "dropped"
        }
    }
}

/// Gives `body` a turn, which comes after it.
private func withTurn(_ body: (Place.Turn) -> Void) async {
    await withCheckedContinuation { continuation in
        let turn = Place.Turn(continuation)
        body(turn)
        turn.come()
    }
}
