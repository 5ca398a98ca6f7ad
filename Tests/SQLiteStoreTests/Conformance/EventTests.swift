import Broker
import Catalog
import Secrets
import Testing

/// The audit trail as operators read it.
@Suite struct EventTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    @Test(arguments: Engine.allCases)
    func `the life of a flow is told in order, newest first`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key)
        _ = try await store.redeem(key)
        _ = try await store.redeem(key)
        let events = try await store.events(EventFilter(), before: nil, limit: 10).events
        #expect(
            events.map(\.event.kind) == [
                .credentialKeyReused, .credentialKeyRedeemed, .flowSucceeded, .flowStarted,
            ])
        #expect(events.map(\.sequence) == [4, 3, 2, 1])
        #expect(events.allSatisfy { $0.event.flow == flow.id })
    }

    @Test(arguments: Engine.allCases)
    func `an event keeps who, what, when and where`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let requester = Requester(
            subject: "ops@example.com", tokenID: "t-1", remoteAddress: "192.0.2.7", requestID: "r-1")
        let event = Event(
            .revocation, at: Samples.now, by: requester, tenant: try Samples.tenant(),
            sourceType: SourceType.ID("example"), flow: FlowID(of: .random()), code: "c", detail: "leaked \u{1F511}")
        try await store.record(event)
        #expect(try await store.events(EventFilter(), before: nil, limit: 10).events.map(\.event) == [event])
    }

    @Test(arguments: Engine.allCases)
    func `what did not happen is not told`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        #expect(try await !store.succeed(FlowID(of: .random()), with: Samples.stored(.random())))
        #expect(try await store.events(EventFilter(), before: nil, limit: 10).events.isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func `a filter and a page find their events`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        for number in 0..<10 {
            try await store.record(
                Event(
                    number.isMultiple(of: 2) ? .flowStarted : .clientChanged,
                    at: Samples.now.adding(seconds: Int64(number) * 120), tenant: Samples.tenant("t\(number % 3)")))
        }
        func found(_ filter: EventFilter, before: Int64? = nil, limit: Int = 100) async throws -> [Int64] {
            try await store.events(filter, before: before, limit: limit).events.map(\.sequence)
        }
        #expect(try await found(EventFilter(kind: .clientChanged)) == [10, 8, 6, 4, 2])
        #expect(try await found(EventFilter(tenant: Samples.tenant("t0"))) == [10, 7, 4, 1])
        #expect(try await found(EventFilter(since: Samples.now.adding(seconds: 840))) == [10, 9, 8])
        #expect(try await found(EventFilter(), limit: 3) == [10, 9, 8])
        #expect(try await found(EventFilter(), before: 8, limit: 3) == [7, 6, 5])
    }
}
