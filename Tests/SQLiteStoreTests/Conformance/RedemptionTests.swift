import Broker
import Formats
import Secrets
import Testing

@Suite struct RedemptionTests {
    private let database: TestDatabase
    private let key = CredentialKey.random()

    init() throws { database = try TestDatabase() }

    @Test(arguments: Engine.allCases)
    func `a key gives its credentials and their place`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try await store.keep(try Samples.flow(), key, credentials: [1, 2, 3])
        guard case .redeemed(let opened, let placement) = try await store.redeem(key) else {
            Issue.record("not redeemed")
            return
        }
        #expect(opened.expose { $0 } == [1, 2, 3])
        #expect(placement == flow.placement)
    }

    @Test(arguments: Engine.allCases)
    func `a key is good once, and its second use is told`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key).name == "redeemed")
        for _ in 0..<3 {
            guard case .reused(let placement) = try await store.redeem(key) else {
                Issue.record("not told as reused")
                return
            }
            #expect(placement == flow.placement)
        }
    }

    @Test(arguments: Engine.allCases)
    func `a second use is told whoever tries`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.keep(try Samples.flow(challenge: Samples.challenge("v")), key)
        #expect(try await store.redeem(key, challenge: Samples.challenge("v")).name == "redeemed")
        #expect(try await store.redeem(key, tenant: "other").name == "reused")
        #expect(try await store.redeem(key, challenge: Samples.challenge("w")).name == "reused")
        #expect(try await store.redeem(key, at: Samples.now.adding(seconds: 10_000)).name == "reused")
    }

    @Test(arguments: Engine.allCases)
    func `an unknown key is refused`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(.random()).name == "refused")
    }

    @Test(arguments: Engine.allCases, ["other", "Acme", "acm", "acme1", "ACME"])
    func `another tenant is refused and spends nothing`(_ engine: Engine, _ tenant: String) async throws {
        let store = try database.open(engine)
        try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key, tenant: tenant).name == "refused")
        #expect(try await store.redeem(key).name == "redeemed")
    }

    @Test(arguments: Engine.allCases, [nil, Samples.challenge("w")])
    func `a wrong or missing challenge is refused and spends nothing`(_ engine: Engine, _ challenge: ProofKeyChallenge?)
        async throws
    {
        let store = try database.open(engine)
        try await store.keep(try Samples.flow(challenge: Samples.challenge("v")), key)
        #expect(try await store.redeem(key, challenge: challenge).name == "refused")
        #expect(try await store.redeem(key, challenge: Samples.challenge("v")).name == "redeemed")
    }

    @Test(arguments: Engine.allCases)
    func `a challenge for a flow without one is passed over`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key, challenge: Samples.challenge("v")).name == "redeemed")
    }

    @Test(arguments: Engine.allCases)
    func `an expired key is refused, is no alarm, and is still there for an earlier clock`(_ engine: Engine)
        async throws
    {
        let store = try database.open(engine)
        try await store.keep(try Samples.flow(), key, expiresAt: Samples.now.adding(seconds: 300))
        #expect(try await store.redeem(key, at: Samples.now.adding(seconds: 301)).name == "refused")
        #expect(try await store.redeem(key, at: Samples.now.adding(seconds: 300)).name == "refused")
        #expect(
            try await store.redeem(key, at: Timestamp(milliseconds: Samples.now.milliseconds + 299_999)).name
                == "redeemed")
    }

    @Test(arguments: Engine.allCases)
    func `one flow's key does not spend another's`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let other = CredentialKey.random()
        try await store.keep(try Samples.flow(), key)
        try await store.keep(try Samples.flow(), other)
        #expect(try await store.redeem(key).name == "redeemed")
        #expect(try await store.redeem(other).name == "redeemed")
    }

    @Test(arguments: Engine.allCases)
    func `a spent key is told after the store was opened again`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key).name == "redeemed")
        await store.close()
        let again = try database.open(engine)
        #expect(try await again.redeem(key).name == "reused")
    }
}
