import Broker
import Secrets
import Testing

/// The end of a store, and what it says until then.
@Suite struct MaintenanceTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    @Test(arguments: Engine.allCases)
    func `every call to a closed store says that it is closed`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        await store.close()
        let flow = try Samples.flow()
        await #expect(throws: StoreError.closed) { try await store.start(flow) }
        await #expect(throws: StoreError.closed) { try await store.claim(flow.id, isBound: false, at: Samples.now) }
        await #expect(throws: StoreError.closed) { try await store.succeed(flow.id, with: Samples.stored(.random())) }
        await #expect(throws: StoreError.closed) { try await store.fail(flow.id, error: "x", description: nil) }
        await #expect(throws: StoreError.closed) { try await store.redeem(.random()) }
        await #expect(throws: StoreError.closed) { try await store.outcome(of: flow.id) }
        await #expect(throws: StoreError.closed) { try await store.sweep(at: Samples.now, limit: 1) }
        await #expect(throws: StoreError.closed) { try await store.check() }
        await #expect(throws: StoreError.closed) { try await store.events(EventFilter(), before: nil, limit: 1) }
        await #expect(throws: StoreError.closed) { try await store.clients(of: flow.tenant) }
        await #expect(throws: StoreError.closed) { try await store.masterKeyUses(at: Samples.now) }
        await store.close()
    }

    @Test(arguments: Engine.allCases)
    func `a store is ready while it can write`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.check()
    }
}
