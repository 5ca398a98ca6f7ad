import Broker
import Formats
import Secrets
import Testing

@Suite struct OutstandingTests {
    private let database: TestDatabase
    private let later = Samples.now.adding(seconds: 1)

    init() throws { database = try TestDatabase() }

    private func store(_ engine: Engine, perTenant: Int = 0, inAll: Int = 0) throws -> any BrokerStore {
        try database.open(engine, bounds: FlowBounds(perTenant: perTenant, inAll: inAll))
    }

    private func begin(
        _ store: any BrokerStore, tenant: String = "acme", at now: Timestamp = Samples.now, lasting seconds: Int64 = 600
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
    private func admitted(by stores: [any BrokerStore]) async throws -> Int {
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

    @Test(arguments: Engine.allCases)
    func `of 64 flows at once through two brokers as many begin as the tenant may`(_ engine: Engine) async throws {
        let stores = [try store(engine, perTenant: 20), try store(engine, perTenant: 20)]
        #expect(try await admitted(by: stores) == 20)
        for store in stores {
            #expect(try await begin(store).1 == .tenantHasTooMany)
            #expect(try await begin(store, tenant: "other").1 == .admitted)
        }
        let events = try await stores[0].events(EventFilter(), before: nil, limit: 100)
        #expect(events.events.count == 22)
    }

    @Test(arguments: Engine.allCases)
    func `of 64 flows at once as many begin as all may`(_ engine: Engine) async throws {
        #expect(try await admitted(by: [try store(engine, inAll: 20)]) == 20)
    }

    @Test(arguments: Engine.allCases)
    func `the bound of all comes before a tenant's`(_ engine: Engine) async throws {
        let store = try store(engine, perTenant: 2, inAll: 3)
        for (tenant, expected) in [
            ("a", FlowAdmission.admitted), ("a", .admitted), ("a", .tenantHasTooMany), ("b", .admitted),
            ("a", .tooMany), ("c", .tooMany),
        ] {
            #expect(try await begin(store, tenant: tenant).1 == expected)
        }
    }

    @Test(arguments: Engine.allCases)
    func `a flow that ended or expired makes room for its tenant at once, for all within a second`(_ engine: Engine)
        async throws
    {
        let store = try store(engine, perTenant: 3, inAll: 4)
        let (succeeded, _) = try await begin(store)
        let (failed, _) = try await begin(store)
        _ = try await begin(store, lasting: 1)
        #expect(try await begin(store).1 == .tenantHasTooMany)
        for flow in [succeeded, failed] { _ = try await store.claim(flow.id, isBound: false, at: Samples.now) }
        #expect(try await begin(store).1 == .tenantHasTooMany)
        _ = try await store.succeed(succeeded.id, with: Samples.stored(.random()))
        #expect(try await begin(store).1 == .admitted)
        try await store.fail(failed.id, error: "access_denied", description: nil)
        #expect(try await begin(store, at: Timestamp(milliseconds: later.milliseconds - 1)).1 == .tooMany)
        for expected in [FlowAdmission.admitted, .admitted, .tenantHasTooMany] {
            #expect(try await begin(store, at: later).1 == expected)
        }
    }

    @Test(arguments: Engine.allCases)
    func `a claimed flow counts`(_ engine: Engine) async throws {
        let store = try store(engine, perTenant: 1)
        let (flow, _) = try await begin(store)
        _ = try await store.claim(flow.id, isBound: false, at: Samples.now)
        #expect(try await begin(store, at: later).1 == .tenantHasTooMany)
    }

    @Test(arguments: Engine.allCases)
    func `brokers on one file count together`(_ engine: Engine) async throws {
        let stores = [try store(engine, inAll: 4), try store(engine, inAll: 4)]
        for index in 0..<4 { _ = try await begin(stores[index % 2]) }
        for store in stores { #expect(try await begin(store, at: later).1 == .tooMany) }
    }

    @Test(arguments: Engine.allCases)
    func `a broker without bounds is not bound, and leaves those of another alone`(_ engine: Engine) async throws {
        let bounded = try store(engine, perTenant: 1, inAll: 4)
        #expect(try await begin(bounded).1 == .admitted)
        let free = try store(engine)
        #expect(try await begin(free).1 == .admitted)
        #expect(try await begin(bounded, at: later).1 == .tenantHasTooMany)
        #expect(try await begin(bounded, tenant: "other", at: later).1 == .admitted)
    }

    @Test(arguments: Engine.allCases)
    func `bounds can be set, lifted and set again`(_ engine: Engine) async throws {
        for bounds in [0, 1, 0, 1] {
            let store = try store(engine, perTenant: bounds)
            let admissions = [try await begin(store).1, try await begin(store).1]
            #expect(admissions.contains(.tenantHasTooMany) == (bounds == 1))
            await store.close()
        }
    }
}
