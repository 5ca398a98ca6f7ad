import Assets
import Formats
import Foundation
import Testing

@testable import AssetStore

/// The next start after any end of a process.
@Suite struct RecoverTests {
    private let folder: TemporaryFolder
    private let store: SQLiteAssetStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteAssetStore(path: folder.database)
    }

    @Test func `an operation that was RUNNING goes on with its counters and its start`() async throws {
        let asset = try await store.make()
        let run = try await store.start(at: 1)
        let queued = try await store.add("a", "b", to: run)
        try await store.complete(queued[0], of: run)
        let before = try await store.operation(of: asset)
        try await store.recover(at: .at(50))
        #expect(try await store.operation(of: asset).counters == before.counters)
        #expect(try await store.operation(of: asset).status == .running)
        let resumed = try await store.start(at: 60)
        #expect(resumed.operation.id == run.operation.id)
        #expect(resumed.operation.startedAt == .at(1))
        #expect(resumed.operation.counters == before.counters)
        #expect(try await store.next(excluding: [], at: .at(61)) == nil)
    }

    @Test func `what was RUNNING comes before what is new`() async throws {
        try await store.make("1")
        let second = try await store.make("2")
        _ = try await store.start()
        _ = try await store.cancel(try await store.operation(of: second).id, of: second.id, .acme, at: .at(1))
        let third = try await store.make("3")
        try await store.recover(at: .at(5))
        #expect(try await store.start().asset.displayName == "1")
        #expect(try await store.start().asset.id == third.id)
    }

    @Test func `an item that was counted is not given again, one that was not is`() async throws {
        try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", "c", to: run)
        try await store.complete(queued[0], of: run)
        _ = try await store.begin([queued[1].id], of: run.operation.id, at: .at(3))
        try await store.recover(at: .at(50))
        let resumed = try await store.start()
        // As it is listed now.
        let items = [SourceItem("a", version: "9"), SourceItem("b", version: "9"), SourceItem("c"), SourceItem("d")]
        let again = try await store.add(items, to: resumed)
        #expect(again.map(\.item) == Array(items.dropFirst()))
        #expect(again.map(\.crashes) == [1, 0, 0])
        #expect(again.map(\.id).prefix(2) == [queued[1].id, queued[2].id])
        #expect(try await store.add(items, to: resumed).isEmpty)
        #expect(try await store.operation(resumed.operation.id, of: resumed.asset.id, .acme)?.counters.itemsTotal == 4)
    }

    /// The pages that had led there are done, and are not read again.
    @Test func `what others had led to is given with the first items of the listing`() async throws {
        try await store.make()
        let run = try await store.start()
        let root = try await store.add("root", to: run)[0]
        let page = SourceItem(
            key: "page", fileName: "page.md", contentType: "text/html", sourceURL: "https://example.com/page", size: 3,
            version: ItemVersion("v"), note: "depth 1")
        let led = try #require(try await store.complete(root, of: run, found: [page, SourceItem("other")]).queued)
        _ = try await store.begin([led[0].id], of: run.operation.id, at: .at(3))
        try await store.recover(at: .at(50))
        let resumed = try await store.start()
        let again = try await store.add("root", to: resumed)
        #expect(again.map(\.item) == [page, SourceItem("other")])
        #expect(again.map(\.crashes) == [1, 0])
        #expect(try await store.add("root", "page", to: resumed).isEmpty)
    }

    @Test func `an operation that goes on tells what others had led to`() async throws {
        try await store.make()
        let run = try await store.start()
        #expect(run.linked.isEmpty)
        let root = try await store.add("root", "listed", to: run)[0]
        let led = try await store.complete(root, of: run, found: [SourceItem("page"), SourceItem("gone")])
        try await store.finish(try #require(led.queued?.last), of: run, ItemOutcome(.absent))
        try await store.recover(at: .at(50))
        let linked = [LinkedItem(key: "page", isAbsent: false), LinkedItem(key: "gone", isAbsent: true)]
        #expect(try await store.start().linked == linked)
    }

    @Test func `an item that is not listed again counts as gone`() async throws {
        let asset = try await store.makeRead("kept")
        let run = try await store.startRefresh(of: asset)
        try await store.add("kept", "new", "other", to: run)
        try await store.recover(at: .at(150))
        let resumed = try await store.start(at: 151)
        try await store.complete(try await store.add("other", to: resumed)[0], of: resumed)
        let ended = try await store.end(resumed)
        #expect((ended.counters.itemsTotal, ended.counters.itemsProcessed, ended.counters.itemsRemoved) == (3, 3, 1))
        #expect(ended.status == .completed)
        #expect(try await store.documents(of: asset).map(\.fileName) == ["other.md"])
        #expect(try await store.asset(asset).documentCount == 1)
    }

    @Test func `what was staged is gone, and the work is begun again`() async throws {
        let asset = try await store.makeRead("a")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", "new", to: run)
        _ = try await store.begin(queued.map(\.id), of: run.operation.id, at: .at(3))
        for item in queued { _ = try await store.stage(cut("half", "done"), of: item.id, of: run.operation.id) }
        try await store.recover(at: .at(150))
        #expect(try folder.query("SELECT content FROM chunks", as: String.self) == ["text"])
        #expect(try await store.documents(of: asset).map(\.status) == [.completed, .pending])
        let resumed = try await store.start()
        let again = try await store.add("a", "new", to: resumed)
        _ = try await store.stage(cut("whole"), of: again[0].id, of: resumed.operation.id)
        try await store.complete(again[0], of: resumed, cut("text", from: 1))
        let document = try await store.document("a", of: asset)
        #expect(try await store.texts(of: document, asset) == ["whole", "text"])
        #expect((document.chunkCount, document.tokenCount) == (2, 9))
    }

    @Test func `a document that was in work at three ends is FAILED, and the rest goes on`() async throws {
        let asset = try await store.make()
        var run = try await store.start()
        var queued = try await store.add("a", "b", to: run)
        for crash in 1...3 {
            #expect(queued.map(\.crashes) == [crash - 1, 0])
            _ = try await store.begin([queued[0].id], of: run.operation.id, at: .at(3))
            _ = try await store.stage(cut("half"), of: queued[0].id, of: run.operation.id)
            try await store.recover(at: .at(50))
            run = try await store.start()
            queued = try await store.add("a", "b", to: run)
        }
        #expect(queued.map(\.item.key) == ["b"])
        let document = try await store.document("a", of: asset)
        #expect((document.status, document.failure?.code) == (.failed, .crashed))
        try await store.complete(queued[0], of: run)
        let ended = try await store.end(run)
        #expect((ended.counters.itemsTotal, ended.counters.itemsProcessed, ended.counters.itemsFailed) == (2, 2, 1))
        #expect((ended.status, ended.failure?.code) == (.completed, .documentsFailed))
        #expect(try folder.number("SELECT count(*) FROM chunks") == 1)
    }

    @Test func `an operation with a wish to end is CANCELLED, not resumed`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", to: run)
        try await store.complete(queued[0], of: run)
        _ = try await store.stage(cut("half"), of: queued[1].id, of: run.operation.id)
        _ = try await store.cancel(run.operation.id, of: asset.id, .acme, at: .at(5))
        try await store.recover(at: .at(50))
        #expect(try await store.next(excluding: [], at: .at(51)) == nil)
        let operation = try await store.operation(of: asset)
        #expect((operation.status, operation.completedAt) == (.cancelled, .at(50)))
        #expect(try await store.documents(of: asset).map(\.fileName) == ["a.md"])
        #expect(try folder.number("SELECT count(*) FROM chunks") == 1)
    }

    @Test func `one that waits to go on is CANCELLED at once`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", to: run)
        _ = try await store.begin(queued.map(\.id), of: run.operation.id, at: .at(3))
        try await store.recover(at: .at(50))
        let told = try await store.cancel(run.operation.id, of: asset.id, .acme, at: .at(51))
        #expect(told?.status == .cancelled)
        #expect(try await store.documents(of: asset).isEmpty)
        #expect(try await store.next(excluding: [], at: .at(52)) == nil)
    }

    /// What was left out before a crash is left out of the listing after it, too.
    @Test(arguments: [true, false])
    func `a crash does not make a listing complete`(_ isFull: Bool) async throws {
        let asset = try await store.makeRead("a", "b")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", "new", to: run, most: isFull ? 2 : 9)
        try await store.finish(queued[0], of: run, ItemOutcome(.unchanged(nil), isIncomplete: !isFull))
        try await store.recover(at: .at(150))
        let resumed = try await store.start(at: 151)
        for item in try await store.add("a", to: resumed) { try await store.complete(item, of: resumed) }
        #expect(try await store.end(resumed).counters.itemsRemoved == 0)
        #expect(try await store.documents(of: asset).map(\.fileName).prefix(2) == ["a.md", "b.md"])
    }

    @Test func `chosen documents are those of before`() async throws {
        let asset = try await store.makeRead("a", "b")
        let document = try await store.document("b", of: asset)
        _ = try await store.startRefresh(of: asset, documents: [document.id], isForced: true)
        try await store.recover(at: .at(150))
        let resumed = try await store.start()
        #expect(resumed.chosen?.map(\.key) == ["b"])
        #expect(resumed.isForced)
    }

    @Test func `a deletion that the end of the process cut short goes on`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", to: run)
        for part in 0..<3 {
            let chunks = (0..<1000).map { cut("x", from: part * 1000 + $0)[0] }
            _ = try await store.stage(chunks, of: queued[0].id, of: run.operation.id)
        }
        try await store.complete(queued[0], of: run, [])
        let document = try await store.document("a", of: asset)
        // As `deleteDocument` leaves it before the purge.
        let number = try folder.number("SELECT text FROM documents")
        try await store.writer.write { db in
            _ = try TextID(number: Int64(number)).discard(document.chunkCount, from: db)
            try db.run("DELETE FROM documents")
        }
        #expect(try folder.number("SELECT count(*) FROM chunks") == 3000)
        try await store.recover(at: .at(50))
        #expect(try folder.number("SELECT count(*) FROM chunks") == 0)
    }

    /// The lines of what was staged are those that the work begun again writes to: what is left of it there would be
    /// taken for the new text's, and deleted with it.
    @Test func `what was staged is gone before anything goes on, or nothing does`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", to: run)
        _ = try await store.begin([queued[0].id], of: run.operation.id, at: .at(3))
        for part in 0..<2 {
            let chunks = (0..<1000).map { cut("half", from: part * 1000 + $0)[0] }
            _ = try await store.stage(chunks, of: queued[0].id, of: run.operation.id)
        }
        try await store.writer.write { db in
            try db.run("CREATE TRIGGER full BEFORE DELETE ON chunks BEGIN SELECT RAISE(ABORT, 'no room'); END")
        }
        await #expect(throws: AssetStoreError.self) { try await store.recover(at: .at(50)) }
        try await store.writer.write { try $0.run("DROP TRIGGER full") }
        try await store.recover(at: .at(60))
        #expect(try folder.number("SELECT count(*) FROM chunks") == 0)
        let resumed = try await store.start()
        try await store.complete(try await store.add("a", to: resumed)[0], of: resumed, cut("whole"))
        let document = try await store.document("a", of: asset)
        #expect(try await store.texts(of: document, asset) == ["whole"])
    }
}
