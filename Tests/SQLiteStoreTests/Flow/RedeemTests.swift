import Broker
import Secrets
import Testing

@Suite struct RedeemTests {
    private static let verifier = "an-exchange-verifier-that-is-long-enough-for-it"
    private let house: Installation

    init() throws {
        house = try Installation()
    }

    @Test func `a key is good for its tenant alone, and another's try spends nothing`() async throws {
        let (_, key) = try await house.connect()
        #expect(try await house.redeem(key, tenant: "other") == nil)
        #expect(house.events.all.last?.kind == .credentialKeyRefused)
        #expect(house.events.all.last?.tenant?.description == "other")
        #expect(house.events.all.last?.flow == nil)
        #expect(try await house.redeem(key) != nil)
    }

    @Test func `a flow with a challenge needs its verifier, and a wrong one spends nothing`() async throws {
        let (_, key) = try await house.connect(verifier: Self.verifier)
        #expect(try await house.redeem(key) == nil)
        #expect(try await house.redeem(key, verifier: Self.verifier + "x") == nil)
        #expect(try await house.redeem(key, verifier: Samples.challenge(Self.verifier).text) == nil)
        #expect(try await house.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `a verifier for a flow without challenge is passed over`() async throws {
        let (_, key) = try await house.connect()
        #expect(try await house.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `a key expires`() async throws {
        let (early, late) = (try await house.connect().1, try await house.connect().1)
        house.clock.advance(milliseconds: 299_999)
        #expect(try await house.redeem(early) != nil)
        house.clock.advance(milliseconds: 1)
        #expect(try await house.redeem(late) == nil)
        #expect(house.events.all.last?.kind == .credentialKeyRefused)
    }

    @Test func `an unknown key is refused and no alarm`() async throws {
        #expect(try await house.redeem(.random(prefix: "ckr_")) == nil)
        #expect(house.events.kinds == ["credential_key.refused"])
    }

    @Test func `a second use is an alarm that names the flow`() async throws {
        let (begun, key) = try await house.connect()
        _ = try await house.redeem(key)
        #expect(try await house.redeem(key, tenant: "other") == nil)
        let event = try #require(house.events.all.last)
        #expect(event.kind == .credentialKeyReused)
        #expect(event.flow == begun.flow)
        #expect(event.tenant?.description == "acme")
        #expect(event.sourceType?.description == "example")
    }

    @Test func `of 64 redemptions one gets the credentials`() async throws {
        let (_, key) = try await house.connect()
        let house = house
        let given = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 { group.addTask { try await house.redeem(key) != nil } }
            return try await group.reduce(into: 0) { if $1 { $0 += 1 } }
        }
        #expect(given == 1)
        #expect(house.events.kinds.filter { $0 == "credential_key.redeemed" }.count == 1)
        #expect(house.events.kinds.filter { $0 == "credential_key.reused" }.count == 63)
    }

    @Test func `a store that is closed is told`() async throws {
        let (_, key) = try await house.connect()
        await house.store.close()
        await #expect(throws: RedeemError.store(.closed)) { try await house.redeem(key) }
    }

    @Test func `a sweep lets good keys be`() async throws {
        let (_, key) = try await house.connect()
        house.clock.advance(seconds: 299)
        try await house.broker.sweep()
        #expect(try await house.redeem(key) != nil)
    }
}
