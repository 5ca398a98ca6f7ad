import Broker
import GRDB
import SQLiteStore
import Secrets
import Testing

@Suite struct ClosingTests {
    private let folder: TemporaryFolder
    private let store: SQLiteStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.database)
    }

    @Test func `a closed store leaves one file, and its lock`() async throws {
        try await store.start(try Samples.flow())
        await store.close()
        #expect(folder.names == ["cloakroom.db", "cloakroom.db.lock"])
    }

    @Test func `a store whose tables are gone is not ready, and says so without values`() async throws {
        try await DatabaseQueue(path: folder.database).write { try $0.execute(sql: "DROP TABLE flows") }
        let error = await #expect(throws: StoreError.self) { try await store.check() }
        #expect(error == .unavailable("1 (SQL logic error): no such table: flows"))
    }

    @Test func `one duplicate among many new flows fails alone`() async throws {
        let duplicate = try Samples.flow()
        try await store.start(duplicate)
        let flows = try (0..<100).map { $0 == 50 ? duplicate : try Samples.flow() }
        let store = store
        let failures = await withTaskGroup(of: StoreError?.self) { group in
            for flow in flows {
                group.addTask {
                    do throws(StoreError) {
                        try await store.start(flow)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: [StoreError]()) { failures, error in if let error { failures.append(error) }
            }
        }
        #expect(failures == [.unavailable("1555 (constraint failed): UNIQUE constraint failed: flows.id")])
        for flow in flows { #expect(try await store.outcome(of: flow.id)?.status == .started) }
    }
}
