import Broker
import Formats
import Secrets
import Testing

@Suite struct SweepTests {
    private let database: TestDatabase
    /// After the flows' states, and the grace for exchanges that may still run.
    private let later = Samples.now.adding(seconds: 600 + 300)

    init() throws { database = try TestDatabase() }

    @Test(arguments: Engine.allCases)
    func `a sweep of an empty store has nothing left`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        #expect(try await !store.sweep(at: Samples.now, limit: 10))
    }

    @Test(arguments: Engine.allCases)
    func `an expired credential key goes, and its sealed key is forgotten`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key, isBound: true, sealedKey: [1, 2, 3])
        _ = try await store.sweep(at: Samples.now.adding(seconds: 300), limit: 10)
        #expect(try await database.count(.credentialKeys, in: engine) == 0)
        #expect(try await store.outcome(of: flow.id)?.key == nil)
        #expect(try await store.redeem(key).name == "refused")
    }

    @Test(arguments: Engine.allCases)
    func `a credential key that has not expired stays`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key, isBound: true, sealedKey: [1, 2, 3])
        _ = try await store.sweep(at: Timestamp(milliseconds: Samples.now.milliseconds + 299_999), limit: 10)
        #expect(try await store.outcome(of: flow.id)?.key != nil)
        #expect(try await store.redeem(key).name == "redeemed")
    }

    @Test(arguments: Engine.allCases, [false, true])
    func `a flow that never ended becomes failed`(_ engine: Engine, _ claimed: Bool) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        if claimed { _ = try await store.claim(flow.id, isBound: true, at: Samples.now) }
        _ = try await store.sweep(at: later, limit: 10)
        let outcome = try #require(try await store.outcome(of: flow.id))
        #expect(outcome.status == .failed)
        #expect(outcome.error == "expired")
        #expect(try await !store.succeed(flow.id, with: Samples.stored(.random())))
    }

    @Test(arguments: Engine.allCases)
    func `an exchange that may still run is left alone`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        _ = try await store.claim(flow.id, isBound: false, at: Samples.now)
        _ = try await store.sweep(at: Timestamp(milliseconds: later.milliseconds - 1), limit: 10)
        #expect(try await store.succeed(flow.id, with: Samples.stored(.random())))
    }

    @Test(arguments: Engine.allCases)
    func `a flow that failed keeps its reason`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        _ = try await store.claim(flow.id, isBound: false, at: Samples.now)
        try await store.fail(flow.id, error: "access_denied", description: "no")
        _ = try await store.sweep(at: later, limit: 10)
        #expect(try await store.outcome(of: flow.id)?.error == "access_denied")
    }

    @Test(arguments: Engine.allCases)
    func `a spent key is told for a day and then forgotten`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key).name == "redeemed")
        try await store.sweepAll(at: later)
        #expect(try await store.redeem(key).name == "reused")
        try await store.sweepAll(at: Timestamp(milliseconds: later.adding(seconds: Samples.day).milliseconds - 1))
        #expect(try await store.redeem(key).name == "reused")
        try await store.sweepAll(at: later.adding(seconds: Samples.day))
        #expect(try await store.redeem(key).name == "refused")
        #expect(try await store.outcome(of: flow.id) == nil)
        #expect(try await database.count(.flows, in: engine) == 0)
    }

    @Test(arguments: Engine.allCases)
    func `a key that never was redeemed leaves nothing after a day`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.keep(try Samples.flow(), .random(), isBound: true, sealedKey: [1])
        try await store.sweepAll(at: later)
        try await store.sweepAll(at: later.adding(seconds: Samples.day))
        #expect(try await database.count(.flows, in: engine) == 0)
        #expect(try await database.count(.credentialKeys, in: engine) == 0)
    }

    @Test(arguments: Engine.allCases)
    func `a sweep takes no more than its limit and says that more is left`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.fill(Samples.keys(25))
        #expect(try await store.sweep(at: later, limit: 10))
        #expect(try await database.count(.credentialKeys, in: engine) == 15)
        #expect(try await store.sweep(at: later, limit: 10))
        #expect(try await database.count(.credentialKeys, in: engine) == 5)
        #expect(try await !store.sweep(at: later, limit: 10))
        #expect(try await database.count(.credentialKeys, in: engine) == 0)
        #expect(try await database.count(.flows, in: engine) == 25)
    }

    @Test(arguments: Engine.allCases)
    func `sweeps come to an end`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.fill(Samples.keys(20))
        try await store.sweepAll(at: later, limit: 7)
        try await store.sweepAll(at: later.adding(seconds: Samples.day), limit: 7)
        #expect(try await database.count(.flows, in: engine) == 0)
    }
}

extension BrokerStore {
    fileprivate func sweepAll(at now: Timestamp, limit: Int = 500) async throws {
        var sweeps = 0
        while try await sweep(at: now, limit: limit) {
            sweeps += 1
            try #require(sweeps < 100)
        }
    }
}
