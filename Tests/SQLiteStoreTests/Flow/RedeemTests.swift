import Broker
import Secrets
import Testing

@Suite struct RedeemTests {
    private static let verifier = "an-exchange-verifier-that-is-long-enough-for-it"
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test func `a key is good for its tenant alone, and another's try spends nothing`() async throws {
        let (_, key) = try await installation.connect()
        #expect(try await installation.redeem(key, tenant: "other") == nil)
        #expect(installation.events.all.last?.kind == .credentialKeyRefused)
        #expect(installation.events.all.last?.tenant?.description == "other")
        #expect(installation.events.all.last?.flow == nil)
        #expect(try await installation.redeem(key) != nil)
    }

    @Test func `a flow with a challenge needs its verifier, and a wrong one spends nothing`() async throws {
        let (_, key) = try await installation.connect(verifier: Self.verifier)
        #expect(try await installation.redeem(key) == nil)
        #expect(try await installation.redeem(key, verifier: Self.verifier + "x") == nil)
        #expect(try await installation.redeem(key, verifier: Samples.challenge(Self.verifier).text) == nil)
        #expect(try await installation.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `a verifier for a flow without challenge is passed over`() async throws {
        let (_, key) = try await installation.connect()
        #expect(try await installation.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `a key expires`() async throws {
        let (early, late) = (try await installation.connect().1, try await installation.connect().1)
        installation.clock.advance(milliseconds: 299_999)
        #expect(try await installation.redeem(early) != nil)
        installation.clock.advance(milliseconds: 1)
        #expect(try await installation.redeem(late) == nil)
        #expect(installation.events.all.last?.kind == .credentialKeyRefused)
    }

    @Test func `an unknown key is refused and no alarm`() async throws {
        #expect(try await installation.redeem(.random(prefix: "ckr_")) == nil)
        #expect(installation.events.kinds == ["credential_key.refused"])
    }

    @Test func `a second use is an alarm that names the flow`() async throws {
        let (begun, key) = try await installation.connect()
        _ = try await installation.redeem(key)
        #expect(try await installation.redeem(key, tenant: "other") == nil)
        let event = try #require(installation.events.all.last)
        #expect(event.kind == .credentialKeyReused)
        #expect(event.flow == begun.flow)
        #expect(event.tenant?.description == "acme")
        #expect(event.sourceType?.description == "example")
    }

    @Test func `of 64 redemptions one gets the credentials`() async throws {
        let (_, key) = try await installation.connect()
        let installation = installation
        let given = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 { group.addTask { try await installation.redeem(key) != nil } }
            return try await group.reduce(into: 0) { if $1 { $0 += 1 } }
        }
        #expect(given == 1)
        #expect(installation.events.kinds.filter { $0 == "credential_key.redeemed" }.count == 1)
        #expect(installation.events.kinds.filter { $0 == "credential_key.reused" }.count == 63)
    }

    @Test func `a store that is closed is told`() async throws {
        let (_, key) = try await installation.connect()
        await installation.store.close()
        await #expect(throws: RedeemError.store(.closed)) { try await installation.redeem(key) }
    }

    @Test func `a sweep lets good keys be`() async throws {
        let (_, key) = try await installation.connect()
        installation.clock.advance(seconds: 299)
        try await installation.broker.sweep()
        #expect(try await installation.redeem(key) != nil)
    }
}
