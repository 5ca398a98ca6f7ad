import Broker
import Secrets
import Testing

/// Of all who want what there is once, exactly one gets it.
@Suite struct RaceTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    @Test(arguments: Engine.allCases, 0..<5)
    func `of 64 redemptions of one key exactly one gets the credentials`(_ engine: Engine, _ round: Int) async throws {
        let stores = [try database.open(engine), try database.open(engine)]
        let key = CredentialKey.random()
        try await stores[0].keep(try Samples.flow(), key)
        let outcomes = try await all(64) { _ in try await stores[0].redeem(key).name }
        #expect(outcomes.filter { $0 == "redeemed" }.count == 1)
        #expect(outcomes.filter { $0 == "reused" }.count == 63)
    }

    @Test(arguments: Engine.allCases, 0..<5)
    func `of 64 redemptions by two brokers on one file exactly one gets the credentials`(_ engine: Engine, _ round: Int)
        async throws
    {
        let stores = [try database.open(engine), try database.open(engine)]
        let key = CredentialKey.random()
        try await stores[0].keep(try Samples.flow(), key)
        let outcomes = try await all(64) { try await stores[$0 % 2].redeem(key).name }
        #expect(outcomes.filter { $0 == "redeemed" }.count == 1)
        #expect(outcomes.filter { $0 == "reused" }.count == 63)
    }

    @Test(arguments: Engine.allCases, [1, 2])
    func `of 32 claims of one state exactly one gets the flow`(_ engine: Engine, _ brokers: Int) async throws {
        let stores = [try database.open(engine), try database.open(engine)]
        let flow = try Samples.flow()
        try await stores[0].start(flow)
        let claims = try await all(32) {
            try await stores[$0 % brokers].claim(flow.id, isBound: false, at: Samples.now) != nil
        }
        #expect(claims.filter { $0 }.count == 1)
    }

    @Test(arguments: Engine.allCases)
    func `of 32 credential keys for one flow exactly one is kept`(_ engine: Engine) async throws {
        let stores = [try database.open(engine), try database.open(engine)]
        let flow = try Samples.flow()
        let keys = Samples.keys(32)
        try await stores[0].start(flow)
        _ = try await stores[0].claim(flow.id, isBound: false, at: Samples.now)
        let kept = try await all(32) { try await stores[$0 % 2].succeed(flow.id, with: Samples.stored(keys[$0])) }
        #expect(kept.filter { $0 }.count == 1)
        let outcomes = try await all(32) { try await stores[0].redeem(keys[$0]).name }
        #expect(zip(kept, outcomes).allSatisfy { kept, outcome in outcome == (kept ? "redeemed" : "refused") })
    }

    @Test(arguments: Engine.allCases)
    func `many flows at once each get their own credentials`(_ engine: Engine) async throws {
        let stores = [try database.open(engine), try database.open(engine)]
        let keys = Samples.keys(100)
        let matched = try await all(100) { index in
            let store = stores[index % 2]
            let flow = try await store.keep(try Samples.flow(), keys[index], credentials: [UInt8(index)])
            guard case .redeemed(let opened, let placement) = try await stores[(index + 1) % 2].redeem(keys[index])
            else { return false }
            return opened.expose { $0 } == [UInt8(index)] && placement == flow.placement
        }
        #expect(matched.allSatisfy { $0 })
    }

    @Test(arguments: Engine.allCases)
    func `a sweep beside redemptions loses and doubles nothing`(_ engine: Engine) async throws {
        let stores = [try database.open(engine), try database.open(engine)]
        let keys = Samples.keys(50)
        try await stores[0].fill(keys)
        let outcomes = try await all(100) { index in
            if index % 2 == 1 {
                _ = try await stores[1].sweep(at: Samples.now, limit: 10)
                return "swept"
            }
            return try await stores[0].redeem(keys[index / 2]).name
        }
        #expect(outcomes.filter { $0 == "redeemed" }.count == 50)
    }

    /// The results of `count` simultaneous calls, in the order of their numbers.
    private func all<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (Int, Value).self) { group in
            for index in 0..<count { group.addTask { (index, try await body(index)) } }
            var values: [Int: Value] = [:]
            for try await (index, value) in group { values[index] = value }
            return (0..<count).compactMap { values[$0] }
        }
    }
}
