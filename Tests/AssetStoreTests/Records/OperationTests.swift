import Assets
import Formats
import Foundation
import Testing

@testable import AssetStore

@Suite struct OperationTests {
    private let folder: TemporaryFolder
    private let store: SQLiteAssetStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteAssetStore(path: folder.database)
    }

    // MARK: order and moments

    /// The platform's client takes the operation with the greatest `updatedAt` for the latest.
    @Test(arguments: [100, 4, 3, 0, -500] as [Int64])
    func `a newer operation has the greater updatedAt, whatever the clock says`(_ second: Int64) async throws {
        let asset = try await store.makeRead("a")
        let older = try await store.operation(of: asset)
        _ = try await store.refresh(of: asset, at: second)
        let pending = try await store.operation(of: asset)
        #expect(pending.updatedAt > older.updatedAt)
        #expect(pending.id != older.id)
        let run = try await store.start(at: second)
        try await store.end(run, at: second)
        let done = try await store.operation(of: asset)
        #expect(done.updatedAt >= pending.updatedAt)
        #expect(try await store.operation(older.id, of: asset.id, .acme)?.updatedAt == older.updatedAt)
    }

    @Test func `a clock that is set back sets no moment back`() async throws {
        let asset = try await store.make(at: 100)
        let run = try await store.start(at: 50)
        #expect(run.operation.startedAt == .at(100))
        let ended = try await store.end(run, at: 10)
        #expect((ended.updatedAt, ended.completedAt, ended.startedAt) == (.at(100), .at(100), .at(100)))
        #expect(try await store.operation(of: asset).createdAt == .at(100))
    }

    @Test func `updatedAt follows the work`() async throws {
        let asset = try await store.make(at: 0)
        let run = try await store.start(at: 5)
        #expect((run.operation.updatedAt, run.operation.startedAt) == (.at(5), .at(5)))
        let queued = try await store.add("a", to: run)
        try await store.complete(queued[0], of: run, at: 30)
        #expect(try await store.operation(of: asset).updatedAt == .at(30))
        #expect(try await store.operation(of: asset).startedAt == .at(5))
    }

    @Test func `operations are listed from the newest on`() async throws {
        let asset = try await store.makeRead("a")
        for second in 10..<13 { try await store.end(try await store.startRefresh(of: asset, at: Int64(second))) }
        let page = try #require(try await store.operations(of: asset.id, .acme, PageRequest(size: 3)))
        #expect(page.items.map(\.createdAt) == [.at(12), .at(11), .at(10)])
        #expect(page.totalCount == 4)
        let rest = try #require(try await store.operations(of: asset.id, .acme, PageRequest(size: 3, after: page.next)))
        #expect(rest.items.map(\.kind) == [.create])
        #expect(rest.next == nil)
    }

    @Test func `an asset that nobody made has no list of operations`() async throws {
        #expect(try await store.operations(of: AssetID(UUID()), .acme, PageRequest()) == nil)
    }

    // MARK: refresh

    @Test func `a refresh waits for the one before`() async throws {
        let asset = try await store.make()
        let first = try await store.operation(of: asset)
        for _ in 0..<2 {
            guard case .inProgress(let id) = try await store.refresh(of: asset) else { throw Unexpected(what: "begun") }
            #expect(id == first.id)
            _ = try await store.next(excluding: [], at: .at(1))
        }
        #expect(try await store.operations(of: asset.id, .acme, PageRequest())?.totalCount == 1)
    }

    @Test func `a refresh tells the asset as it is and its operation`() async throws {
        let asset = try await store.makeRead("a", model: .small)
        guard case .begun(let told, let operation) = try await store.refresh(of: asset) else {
            throw Unexpected(what: "not begun")
        }
        #expect((told.id, told.status, told.documentCount) == (asset.id, .pending, 1))
        #expect((operation.kind, operation.status, operation.model) == (.refresh, .pending, .small))
        #expect(operation.createdBy == "bob")
        #expect(try await store.asset(asset).status == .pending)
        #expect(try await store.operation(operation.id, of: asset.id, .acme)?.updatedAt == operation.updatedAt)
    }

    @Test func `a refresh of a document that is not the asset's is refused`() async throws {
        let (asset, other) = (try await store.makeRead("a"), try await store.makeRead("a"))
        let (own, foreign) = (try await store.document("a", of: asset), try await store.document("a", of: other))
        guard case .unknownDocument(let id) = try await store.refresh(of: asset, documents: [own.id, foreign.id]) else {
            throw Unexpected(what: "begun")
        }
        #expect(id == foreign.id)
        #expect(try await store.operations(of: asset.id, .acme, PageRequest())?.totalCount == 1)
    }

    // MARK: turns

    @Test func `operations come by their age, each once`() async throws {
        let assets = [try await store.make("1"), try await store.make("2"), try await store.make("3")]
        var ids: [AssetID] = []
        while let run = try await store.next(excluding: [], at: .at(1)) { ids.append(run.asset.id) }
        #expect(ids == assets.map(\.id))
    }

    @Test func `tenants that have enough are passed over`() async throws {
        for name in ["1", "2"] { try await store.make(name) }
        let other = try await store.make("3", of: .globex)
        let run = try #require(try await store.next(excluding: [.acme], at: .at(1)))
        #expect(run.asset.id == other.id)
        #expect(try await store.next(excluding: [.acme, .globex], at: .at(1)) == nil)
        #expect(try await store.start().asset.displayName == "1")
    }

    /// It is asked for with each operation that ends, and others' commits wait meanwhile.
    @Test func `what a tenant that has enough has waiting costs no time`() async throws {
        try await store.make("1")
        let few = try await timeOfLooking()
        try await store.writer.write { db in
            try db.run(
                """
                WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 50000)
                INSERT INTO operations (id, asset, tenant, kind, status, is_waiting, is_forced, is_chosen, created_at,
                    updated_at) SELECT randomblob(16), 0, 'acme', 'CREATE', 'PENDING', 1, 0, 0, 0, 0 FROM numbers
                """)
        }
        #expect(try await timeOfLooking() < few * 20 + .milliseconds(1))
    }

    /// The least of many times: others work on this machine too.
    private func timeOfLooking() async throws -> Duration {
        var least = Duration.seconds(60)
        for _ in 0..<50 {
            let began = ContinuousClock.now
            #expect(try await store.next(excluding: [.acme], at: .at(1)) == nil)
            least = min(least, ContinuousClock.now - began)
        }
        return least
    }

    @Test func `of many tenants the oldest operation comes first`() async throws {
        for (number, tenant) in ["d", "b", "a", "c", "b", "a"].enumerated() {
            try await store.make("\(number)", of: try #require(TenantID(tenant)))
        }
        _ = try await store.start()
        try await store.recover(at: .at(5))
        var order: [String] = []
        let excluded: Set<TenantID> = [try #require(TenantID("b"))]
        while let run = try await store.next(excluding: excluded, at: .at(6)) { order.append(run.asset.displayName) }
        #expect(order == ["0", "2", "3", "5"])
        #expect(try await store.start().asset.displayName == "1")
    }

    @Test func `an operation that is given out is RUNNING, and its asset PROCESSING`() async throws {
        let asset = try await store.make(model: .small)
        let run = try await store.start()
        #expect(run.operation.status == .running)
        #expect(try await store.operation(of: asset).status == .running)
        #expect(try await store.asset(asset).status == .processing)
        #expect(run.operation.model == .small && !run.isForced && run.chosen == nil && run.upload == nil)
    }

    @Test func `a forced refresh says so`() async throws {
        let asset = try await store.makeRead("a")
        #expect(try await store.startRefresh(of: asset, isForced: true).isForced)
    }

    // MARK: cancel

    @Test func `one that is PENDING is CANCELLED at once`() async throws {
        let asset = try await store.make()
        let id = try await store.operation(of: asset).id
        let cancelled = try #require(try await store.cancel(id, of: asset.id, .acme, at: .at(5)))
        #expect((cancelled.status, cancelled.completedAt, cancelled.updatedAt) == (.cancelled, .at(5), .at(5)))
        #expect(cancelled.startedAt == nil && cancelled.failure == nil)
        #expect(try await store.asset(asset).status == .cancelled)
        #expect(try await store.next(excluding: [], at: .at(6)) == nil)
    }

    @Test func `of one that is RUNNING the wish is kept, and nothing more is taken`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", to: run)
        try await store.complete(queued[0], of: run)
        let told = try #require(try await store.cancel(run.operation.id, of: asset.id, .acme, at: .at(5)))
        #expect(told.status == .running && told.isCancelRequested)
        let id = run.operation.id
        #expect(try await store.add([SourceItem("c")], to: id, mostDocuments: 9, at: .at(6)).hasEnded)
        #expect(try await store.begin([queued[1].id], of: id, at: .at(6)) == .ended)
        #expect(try await store.stage(cut("x"), of: queued[1].id, of: id) == .ended)
        #expect(try await store.complete(queued[1], of: run).hasEnded)
        let ended = try await store.end(run)
        #expect(ended.status == .cancelled)
        #expect((ended.counters.itemsTotal, ended.counters.itemsProcessed) == (2, 1))
        #expect(try await store.documents(of: asset).map(\.fileName) == ["a.md"])
        #expect(try await store.asset(asset).status == .cancelled)
    }

    @Test func `a wish to end counts for more than a failure`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        _ = try await store.cancel(run.operation.id, of: asset.id, .acme, at: .at(5))
        let failure = AssetOperation.Failure(.internalError, "lost")
        let ended = try await store.end(run.operation.id, .failed(failure), at: .at(6))
        #expect(ended?.status == .cancelled)
        #expect(ended?.failure == nil)
    }

    @Test func `an operation that is done never changes`() async throws {
        let asset = try await store.makeRead("a")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", "b", to: run)
        for item in queued { try await store.complete(item, of: run) }
        try await store.end(run)
        let done = String(reflecting: try await store.operation(of: asset))
        let id = run.operation.id
        let told = try #require(try await store.cancel(id, of: asset.id, .acme, at: .at(500)))
        #expect(String(reflecting: told) == done)
        #expect(try await store.add([SourceItem("c")], to: id, mostDocuments: 9, at: .at(500)).hasEnded)
        #expect(try await store.begin([queued[0].id], of: id, at: .at(500)) == .ended)
        #expect(try await store.stage(cut("x"), of: queued[0].id, of: id) == .ended)
        #expect(try await store.complete(queued[0], of: run, at: 500).hasEnded)
        #expect(
            try await store.end(id, .failed(AssetOperation.Failure(.internalError, "")), at: .at(500)).map {
                String(reflecting: $0)
            } == done)
        try await store.recover(at: .at(500))
        _ = try await store.deleteDocument(try await store.document("b", of: asset).id, of: asset.id, .acme)
        #expect(String(reflecting: try await store.operation(of: asset)) == done)
    }
}

extension SQLiteAssetStore {
    fileprivate func refresh(
        of asset: Asset, documents: [DocumentID]? = nil, at second: Int64 = 100
    ) async throws -> RefreshAdmission {
        try await refresh(
            NewRefresh(
                operation: OperationID(UUID()), asset: asset.id, tenant: asset.tenant, documents: documents,
                isForced: false, createdBy: "bob", now: .at(second)), idempotency: nil)
    }
}
