import AssetStore
import Assets
import Formats
import Foundation
import Testing

@Suite struct EndTests {
    private let folder: TemporaryFolder
    private let store: SQLiteAssetStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteAssetStore(path: folder.database)
    }

    private func names(of asset: Asset) async throws -> [String] {
        try await store.documents(of: asset).map(\.fileName)
    }

    /// Refreshes with these items alone.
    private func refresh(
        _ asset: Asset, finding keys: [String], isComplete: Bool = true, keepsVanished: Bool = false,
        isFull: Bool = false
    ) async throws -> AssetOperation {
        let run = try await store.startRefresh(of: asset)
        for queued in try await store.add(keys.map { SourceItem($0) }, to: run) {
            try await store.finish(queued, of: run, ItemOutcome(.unchanged(nil)))
        }
        return try await store.end(run, isComplete: isComplete, keepsVanished: keepsVanished, isFull: isFull)
    }

    // MARK: status

    @Test func `an operation whose documents all worked is COMPLETED`() async throws {
        let asset = try await store.makeRead("a", "b")
        let operation = try await store.operation(of: asset)
        #expect((operation.status, operation.failure, operation.completedAt) == (.completed, nil, .at(4)))
        #expect((operation.counters.itemsTotal, operation.counters.itemsProcessed) == (2, 2))
        #expect(try await store.asset(asset).status == .completed)
        #expect(try await store.asset(asset).modifiedAt == .at(4))
    }

    @Test func `an operation without documents is COMPLETED`() async throws {
        let asset = try await store.make()
        #expect(try await store.end(try await store.start()).status == .completed)
        #expect(try await store.asset(asset).documentCount == 0)
    }

    @Test func `an operation of which some failed says how many, and why the first`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", "c", to: run)
        try await store.complete(queued[0], of: run)
        try await store.finish(queued[2], of: run, ItemOutcome(.failed(.unreadable)))
        try await store.finish(queued[1], of: run, ItemOutcome(.failed(.unreachable)))
        let ended = try await store.end(run)
        #expect(ended.status == .completed)
        #expect(ended.failure?.code == .documentsFailed)
        #expect(ended.failure?.message == #"2 of 3 documents failed, the first: "c.md": it is encrypted"#)
        #expect(try await store.asset(asset).status == .partial)
    }

    @Test func `an operation whose documents all failed is FAILED`() async throws {
        let asset = try await store.make(model: .small)
        let run = try await store.start()
        let queued = try await store.add("a", "b", to: run)
        try await store.finish(queued[0], of: run, ItemOutcome(.failed(.unreadable)))
        // An address that is no document did not work either.
        try await store.finish(queued[1], of: run, ItemOutcome(.absent))
        let ended = try await store.end(run)
        #expect((ended.status, ended.failure?.code) == (.failed, .documentsFailed))
        #expect(try await store.asset(asset).status == .failed)
        #expect(try await !store.asset(asset).isVectorized)
    }

    @Test func `an operation that failed says why, and keeps what was read`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", "c", to: run)
        try await store.complete(queued[0], of: run)
        _ = try await store.begin([queued[1].id], of: run.operation.id, at: .at(3))
        _ = try await store.stage(cut("half"), of: queued[1].id, of: run.operation.id)
        let failure = AssetOperation.Failure(.sourceUnreachable, "connection refused")
        let ended = try #require(try await store.end(run.operation.id, .failed(failure), at: .at(9)))
        #expect((ended.status, ended.failure, ended.completedAt) == (.failed, failure, .at(9)))
        #expect((ended.counters.itemsTotal, ended.counters.itemsProcessed) == (3, 1))
        #expect(try await names(of: asset) == ["a.md"])
        let kept = try await store.asset(asset)
        #expect((kept.status, kept.documentCount, kept.chunkCount) == (.failed, 1, 1))
        #expect(try folder.number("SELECT count(*) FROM chunks") == 1)
    }

    @Test func `an operation that left documents out for their number says so`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        try await store.complete(try await store.add("a", "b", to: run, most: 1)[0], of: run)
        let ended = try await store.end(run)
        #expect((ended.status, ended.failure?.code) == (.completed, .tooManyDocuments))
        #expect(
            ended.failure?.message
                == "the source has more documents than the limit of 1 allows: the rest was not read")
        #expect(try await store.asset(asset).status == .completed)
    }

    @Test(arguments: [true, false])
    func `an asset is vectorized from the first COMPLETED with an embedder`(_ hasModel: Bool) async throws {
        let asset = try await store.makeRead("a", model: hasModel ? .small : nil)
        #expect(try await store.asset(asset).isVectorized == hasModel)
        let run = try await store.startRefresh(of: asset)
        _ = try await store.end(run.operation.id, .cancelled, at: .at(200))
        #expect(try await store.asset(asset).isVectorized == hasModel)
        #expect(try await store.asset(asset).status == .cancelled)
    }

    @Test func `items go with their operation`() async throws {
        let asset = try await store.makeRead("a")
        let document = try await store.document("a", of: asset)
        let run = try await store.startRefresh(of: asset, documents: [document.id])
        try await store.add("a", to: run)
        try await store.end(run)
        for table in ["items", "chosen_documents"] { #expect(try folder.number("SELECT count(*) FROM \(table)") == 0) }
    }

    // MARK: what was not done

    @Test func `a cancelled operation leaves what it was to renew as it was`() async throws {
        let asset = try await store.makeRead("a", "b")
        let failing = try await store.startRefresh(of: asset)
        try await store.finish(try await store.add("n", to: failing)[0], of: failing, ItemOutcome(.failed(.unreadable)))
        try await store.end(failing, isComplete: false)
        let before = try await store.documents(of: asset).map { String(reflecting: $0) }
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", "n", "new", "b", to: run)
        _ = try await store.begin(queued.map(\.id), of: run.operation.id, at: .at(2))
        #expect(try await store.document("n", of: asset).status == .processing)
        #expect(try await store.document("n", of: asset).failure == nil)
        _ = try await store.stage(cut("half"), of: queued[0].id, of: run.operation.id)
        let ended = try #require(try await store.end(run.operation.id, .cancelled, at: .at(3)))
        #expect(ended.status == .cancelled)
        #expect(try await store.documents(of: asset).map { String(reflecting: $0) } == before)
        #expect(try await store.asset(asset).documentCount == 3)
        #expect(try folder.number("SELECT count(*) FROM chunks") == 2)
    }

    // MARK: what the source has no more

    @Test func `a document that a complete listing has no more is removed`() async throws {
        let asset = try await store.makeRead("a", "b", "c")
        let ended = try await refresh(asset, finding: ["b"])
        #expect(ended.counters.itemsRemoved == 2)
        #expect((ended.counters.itemsTotal, ended.counters.itemsProcessed) == (1, 1))
        #expect(try await names(of: asset) == ["b.md"])
        let kept = try await store.asset(asset)
        #expect((kept.documentCount, kept.chunkCount, kept.tokenCount) == (1, 1, 12))
        #expect(try folder.number("SELECT count(*) FROM chunks") == 1)
    }

    @Test func `a complete listing of nothing removes all`() async throws {
        let asset = try await store.makeRead("a", "b")
        let ended = try await refresh(asset, finding: [])
        #expect((ended.status, ended.counters.itemsRemoved) == (.completed, 2))
        #expect(try await names(of: asset).isEmpty)
    }

    @Test(arguments: [(false, false, false), (true, true, false), (true, false, true)])
    func `a listing that was cut short, or of a source that forgets, removes nothing`(
        _ isComplete: Bool, _ keepsVanished: Bool, _ isFull: Bool
    ) async throws {
        let asset = try await store.makeRead("a", "b")
        let ended = try await refresh(
            asset, finding: ["a"], isComplete: isComplete, keepsVanished: keepsVanished, isFull: isFull)
        #expect(ended.counters.itemsRemoved == 0)
        #expect(try await names(of: asset) == ["a.md", "b.md"])
    }

    @Test func `a listing that found no room removes nothing`() async throws {
        let asset = try await store.makeRead("a", "b")
        let run = try await store.startRefresh(of: asset)
        for queued in try await store.add("a", "new", to: run, most: 2) { try await store.complete(queued, of: run) }
        #expect(try await store.end(run).counters.itemsRemoved == 0)
        #expect(try await names(of: asset) == ["a.md", "b.md"])
    }

    @Test func `an operation that failed or was cancelled removes nothing`() async throws {
        let asset = try await store.makeRead("a", "b")
        for end in [IngestionEnd.cancelled, .failed(AssetOperation.Failure(.sourceTimeout, ""))] {
            let run = try await store.startRefresh(of: asset)
            #expect(try await store.end(run.operation.id, end, at: .at(300))?.counters.itemsRemoved == 0)
        }
        #expect(try await names(of: asset) == ["a.md", "b.md"])
    }

    @Test func `a document whose reading failed is one that the source has`() async throws {
        let asset = try await store.makeRead("a", "b")
        let run = try await store.startRefresh(of: asset)
        try await store.finish(try await store.add("a", to: run)[0], of: run, ItemOutcome(.failed(.unreachable)))
        #expect(try await store.end(run).counters.itemsRemoved == 1)
        #expect(try await names(of: asset) == ["a.md"])
    }

    /// What it would have led to is not known.
    @Test(arguments: [(Document.Failure.unreachable, 0), (.unreadable, 1)])
    func `a page that could not be fetched makes the listing incomplete`(
        _ failure: Document.Failure, _ removed: Int
    ) async throws {
        let asset = try await store.makeRead("root", "page", "below")
        let run = try await store.startRefresh(of: asset)
        let root = try await store.add("root", to: run)[0]
        let linked = try #require(try await store.complete(root, of: run, found: [SourceItem("page")]).queued?.first)
        try await store.finish(linked, of: run, ItemOutcome(.failed(failure)))
        #expect(try await store.end(run).counters.itemsRemoved == removed)
    }

    @Test func `a page of which something was left out makes the listing incomplete`() async throws {
        let asset = try await store.makeRead("root", "page")
        let run = try await store.startRefresh(of: asset)
        let root = try await store.add("root", to: run)[0]
        try await store.finish(root, of: run, ItemOutcome(.unchanged(nil), isIncomplete: true))
        #expect(try await store.end(run).counters.itemsRemoved == 0)
    }

    /// Removed with the others, once it is known that the listing was complete.
    @Test(arguments: [true, false])
    func `a page that answers 404 now is removed with those that nothing leads to`(_ isComplete: Bool) async throws {
        let asset = try await store.makeRead("root", "page")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("root", "page", to: run)
        try await store.finish(queued[0], of: run, ItemOutcome(.unchanged(nil)))
        _ = try await store.begin([queued[1].id], of: run.operation.id, at: .at(3))
        try await store.finish(queued[1], of: run, ItemOutcome(.absent))
        let document = try await store.document("page", of: asset)
        #expect(document.status == .completed)
        #expect(try await store.texts(of: document, asset) == ["text"])
        let ended = try await store.end(run, isComplete: isComplete)
        #expect(ended.counters.itemsRemoved == (isComplete ? 1 : 0))
        #expect(try await names(of: asset) == (isComplete ? ["root.md"] : ["root.md", "page.md"]))
    }

    @Test func `a failed document that is gone now is as it was until the end`() async throws {
        let asset = try await store.make()
        let first = try await store.start()
        try await store.finish(try await store.add("a", to: first)[0], of: first, ItemOutcome(.failed(.unreachable)))
        try await store.end(first)
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", to: run)
        _ = try await store.begin(queued.map(\.id), of: run.operation.id, at: .at(3))
        try await store.finish(queued[0], of: run, ItemOutcome(.absent))
        #expect(try await store.document("a", of: asset).failure == .unreachable)
        let ended = try await store.end(run)
        #expect((ended.status, ended.counters.itemsRemoved) == (.completed, 1))
    }

    // MARK: chosen documents

    @Test func `of chosen documents no other is looked at, added or removed`() async throws {
        let asset = try await store.makeRead("a", "b", "c")
        let (a, b) = (try await store.document("a", of: asset), try await store.document("b", of: asset))
        let run = try await store.startRefresh(of: asset, documents: [b.id, a.id, b.id])
        #expect(run.chosen?.map(\.key) == ["a", "b"])
        #expect(run.chosen?.map(\.version) == [nil, nil])
        let queued = try await store.add("a", "new", "c", "b", to: run)
        #expect(queued.map(\.item.key) == ["a", "b"])
        #expect(try await store.keptVersions(of: queued, run) == ["1", "1"])
        let led = try await store.complete(queued[0], of: run, found: [SourceItem("c"), SourceItem("new")])
        #expect(led.queued?.isEmpty == true)
        try await store.finish(queued[1], of: run, ItemOutcome(.absent))
        let ended = try await store.end(run)
        #expect((ended.counters.itemsTotal, ended.counters.itemsProcessed, ended.counters.itemsRemoved) == (2, 2, 0))
        #expect(try await names(of: asset) == ["a.md", "b.md", "c.md"])
    }

    @Test func `a chosen document comes with all that its reader needs`() async throws {
        let asset = try await store.make()
        let first = try await store.start()
        let item = SourceItem(key: "https://example.com/", fileName: "/", isWholeSource: true, note: "0")
        try await store.complete(try await store.add([item], to: first)[0], of: first)
        try await store.end(first)
        let document = try await store.documents(of: asset)[0]
        let chosen = try #require(try await store.startRefresh(of: asset, documents: [document.id]).chosen)
        #expect(
            chosen == [
                SourceItem(
                    key: item.key, fileName: "/", contentType: "text/markdown",
                    sourceURL: "https://example.com/https://example.com/", size: 12, isWholeSource: true, note: "0")
            ])
    }
}
