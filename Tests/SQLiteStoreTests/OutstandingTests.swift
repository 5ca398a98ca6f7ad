import Broker
import Formats
import Foundation
import SQLiteStore
import Secrets
import Testing

@Suite struct OutstandingTests {
    private let folder: TemporaryFolder
    private let later = Samples.now.adding(seconds: 1)

    init() throws { folder = try TemporaryFolder() }

    private func store(perTenant: Int = 0, inAll: Int = 0) throws -> SQLiteStore {
        try SQLiteStore(
            path: folder.database, keyRing: KeyRing(Installation.firstKey),
            bounds: FlowBounds(perTenant: perTenant, inAll: inAll))
    }

    private func begin(
        _ store: SQLiteStore, tenant: String = "acme", at now: Timestamp = Samples.now, lasting seconds: Int64 = 600
    ) async throws -> (Flow, FlowAdmission) {
        let sample = try Samples.flow(tenant: tenant)
        let flow = Flow(
            id: sample.id, tenant: sample.tenant, sourceType: sample.sourceType, parameters: [:], scopes: [],
            frontendOrigin: sample.frontendOrigin, returnURL: nil, exchangeChallenge: nil, redirect: sample.redirect,
            clientID: sample.clientID, key: sample.key,
            startedAt: now, expiresAt: now.adding(seconds: seconds))
        return (flow, try await store.start(flow))
    }

    /// Of 64 flows begun at once, by all stores in turn, how many were; the others must leave nothing.
    private func admitted(by stores: [SQLiteStore]) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<64 {
                let store = stores[index % stores.count]
                group.addTask {
                    let (flow, admission) = try await begin(store)
                    let isKept = try await store.outcome(of: flow.id) != nil
                    #expect(isKept == (admission == .admitted))
                    return admission == .admitted
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    @Test func `of 64 flows at once through two brokers as many begin as the tenant may`() async throws {
        let stores = [try store(perTenant: 20), try store(perTenant: 20)]
        #expect(try await admitted(by: stores) == 20)
        for store in stores {
            #expect(try await begin(store).1 == .tenantHasTooMany)
            #expect(try await begin(store, tenant: "other").1 == .admitted)
        }
        let events = try await stores[0].events(EventFilter(), before: nil, limit: 100)
        #expect(events.events.count == 22)
    }

    @Test func `of 64 flows at once as many begin as all may`() async throws {
        #expect(try await admitted(by: [try store(inAll: 20)]) == 20)
    }

    @Test func `the bound of all comes before a tenant's`() async throws {
        let store = try store(perTenant: 2, inAll: 3)
        for (tenant, expected) in [
            ("a", FlowAdmission.admitted), ("a", .admitted), ("a", .tenantHasTooMany), ("b", .admitted),
            ("a", .tooMany), ("c", .tooMany),
        ] {
            #expect(try await begin(store, tenant: tenant).1 == expected)
        }
    }

    @Test func `a flow that ended or expired makes room for its tenant at once, for all within a second`() async throws
    {
        let store = try store(perTenant: 3, inAll: 4)
        let (succeeded, _) = try await begin(store)
        let (failed, _) = try await begin(store)
        _ = try await begin(store, lasting: 1)
        #expect(try await begin(store).1 == .tenantHasTooMany)
        for flow in [succeeded, failed] { _ = try await store.claim(flow.id, isBound: false, at: Samples.now) }
        #expect(try await begin(store).1 == .tenantHasTooMany)
        _ = try await store.succeed(succeeded.id, with: Samples.ticket(.random()))
        #expect(try await begin(store).1 == .admitted)
        try await store.fail(failed.id, error: "access_denied", description: nil)
        #expect(try await begin(store, at: Timestamp(milliseconds: later.milliseconds - 1)).1 == .tooMany)
        for expected in [FlowAdmission.admitted, .admitted, .tenantHasTooMany] {
            #expect(try await begin(store, at: later).1 == expected)
        }
    }

    @Test func `a claimed flow counts`() async throws {
        let store = try store(perTenant: 1)
        let (flow, _) = try await begin(store)
        _ = try await store.claim(flow.id, isBound: false, at: Samples.now)
        #expect(try await begin(store, at: later).1 == .tenantHasTooMany)
    }

    @Test func `brokers on one file count together`() async throws {
        let stores = [try store(inAll: 4), try store(inAll: 4)]
        for index in 0..<4 { _ = try await begin(stores[index % 2]) }
        for store in stores { #expect(try await begin(store, at: later).1 == .tooMany) }
    }

    @Test func `a broker without bounds is not bound, and leaves those of another alone`() async throws {
        let bounded = try store(perTenant: 1, inAll: 4)
        #expect(try await begin(bounded).1 == .admitted)
        let free = try store()
        #expect(try await begin(free).1 == .admitted)
        #expect(try await begin(bounded, at: later).1 == .tenantHasTooMany)
        #expect(try await begin(bounded, tenant: "other", at: later).1 == .admitted)
    }

    @Test func `bounds can be set, lifted and set again`() async throws {
        for bounds in [0, 1, 0, 1] {
            let store = try store(perTenant: bounds)
            let admissions = [try await begin(store).1, try await begin(store).1]
            #expect(admissions.contains(.tenantHasTooMany) == (bounds == 1))
            await store.close()
        }
    }
}
