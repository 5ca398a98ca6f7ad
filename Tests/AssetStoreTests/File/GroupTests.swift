import Assets
import Formats
import GRDB
import Secrets
import Testing

@testable import AssetStore

/// Calls that share a commit.
@Suite struct GroupTests {
    private let folder: TemporaryFolder
    private let store: SQLiteAssetStore
    private let log: TestLog

    init() throws {
        folder = try TemporaryFolder()
        let log = TestLog()
        store = try SQLiteAssetStore(path: folder.database) { log.add($0) }
        self.log = log
    }

    @Test(arguments: [2, 50, 200])
    func `a call that fails in a group fails alone`(_ count: Int) async throws {
        let asset = try await store.make()
        let (store, run, bad) = (store, try await store.start(), count / 2)
        let queued = try await store.add((0..<count).map { SourceItem("\($0)") }, to: run)
        // Two chunks of one index cannot be kept.
        let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
            for (index, item) in queued.enumerated() {
                group.addTask {
                    let chunks = index == bad ? cut("a") + cut("b") : cut("a")
                    return (index, (try? await store.complete(item, of: run, chunks)) != nil)
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(outcomes.filter { !$0.value }.map(\.key) == [bad])
        #expect(try await store.operation(of: asset).counters.itemsProcessed == count - 1)
        #expect(try folder.number("SELECT count(*) FROM chunks") == count - 1)
    }

    @Test func `calls that come together share commits`() async throws {
        try await store.make()
        let (store, run) = (store, try await store.start())
        let queued = try await store.add((0..<300).map { SourceItem("\($0)") }, to: run)
        let before = log.commits
        await withTaskGroup(of: Void.self) { group in
            for item in queued { group.addTask { _ = try? await store.complete(item, of: run) } }
        }
        #expect(log.commits - before < 300)
    }

    @Test func `an error names no value`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try #require(try await store.add("a", to: run).first)
        let store = store
        let error = await #expect(throws: AssetStoreError.self) {
            try await store.complete(queued, of: run, cut("a secret") + cut("a secret"))
        }
        #expect(error == .unavailable("1555 (constraint failed): UNIQUE constraint failed: chunks.line"))
        #expect(try await store.document("a", of: asset).status == .pending)
    }

    @Test func `who reads sees what was committed before`() async throws {
        let store = store
        for number in 0..<50 {
            let asset = try await store.make("\(number)")
            #expect(try await store.asset(asset.id, of: .acme)?.displayName == "\(number)")
        }
    }
}

/// Counts the commits that a store tells of.
final class TestLog: Sendable {
    private let count = Locked(0)

    func add(_ event: StoreEvent) {
        if case .committed = event { count.withLock { $0 += 1 } }
    }

    var commits: Int { count.withLock { $0 } }
}
