import Broker
import Secrets
import Testing

/// Master keys change while flows and keys are under way.
@Suite struct MasterKeyTests {
    private static let verifier = "an-exchange-verifier-that-is-long-enough-for-it"
    private static let rotated = "\(Installation.secondKey)\n\(Installation.firstKey)"
    private let before: Installation

    init() throws {
        before = try Installation()
    }

    @Test func `a key from before a rotation is good after it`() async throws {
        let (begun, key) = try await before.connect(verifier: Self.verifier, bound: true)
        let after = try before.restarted(masterKeys: Self.rotated)
        let progress = try await after.broker.flowStatus(
            of: begun.flow, for: Samples.tenant(), verifier: ExchangeVerifier(Self.verifier))
        #expect(progress.key?.matches(key) == true)
        #expect(try await after.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `a flow from before a rotation ends well after it, with its own verifier`() async throws {
        let begun = try await before.begin()
        let after = try before.restarted(masterKeys: Self.rotated)
        #expect(await after.callback("code=good&state=\(begun.state)").key != nil)
        let sent = try #require(await after.provider.form["code_verifier"])
        #expect(Samples.challenge(sent).text == begun["code_challenge"])
    }

    @Test func `a cookie from before a rotation binds after it, and the other way round`() async throws {
        let begun = try await before.begin(verifier: Self.verifier)
        let cookie = try await before.cookie(of: begun, verifier: Self.verifier)
        let after = try before.restarted(masterKeys: Self.rotated)
        #expect(try await after.cookie(of: begun, verifier: Self.verifier).matches(cookie))
        let key = try #require(await after.callback("code=good&state=\(begun.state)", cookie: cookie).key)
        #expect(try await after.store.outcome(of: begun.flow)?.isBound == true)
        for installation in [after, try before.restarted(masterKeys: Self.rotated)] {
            let progress = try await installation.broker.flowStatus(
                of: begun.flow, for: Samples.tenant(), verifier: ExchangeVerifier(Self.verifier))
            #expect(progress.key?.matches(key) == true)
        }
    }

    /// The copied key is sealed under what the key of the flow's beginning gives, its tokens under the first key.
    @Test func `a master key is needed as long as the copied key of its flow waits`() async throws {
        let begun = try await before.begin(verifier: Self.verifier)
        let cookie = try await before.cookie(of: begun, verifier: Self.verifier)
        let after = try before.restarted(masterKeys: Self.rotated)
        let key = try #require(await after.callback("code=good&state=\(begun.state)", cookie: cookie).key)
        #expect(try await after.store.masterKeyUses(at: after.clock.now)["k1"]?.flows == 1)
        #expect(try await after.redeem(key, verifier: Self.verifier) != nil)
        #expect(try await after.store.masterKeyUses(at: after.clock.now)["k1"]?.flows ?? 0 == 0)
    }

    @Test func `a cookie whose master key was removed binds nothing`() async throws {
        let begun = try await before.begin(verifier: Self.verifier)
        let cookie = try await before.cookie(of: begun, verifier: Self.verifier)
        let after = try before.restarted(masterKeys: Installation.secondKey)
        #expect(await after.callback("code=good&state=\(begun.state)", cookie: cookie).error == .invalidState)
        #expect(try await after.store.outcome(of: begun.flow)?.isBound == false)
    }

    @Test func `after a rotation the first key seals`() async throws {
        let after = try before.restarted(masterKeys: Self.rotated)
        let (begun, key) = try await after.connect(verifier: Self.verifier, bound: true)
        #expect(try await after.store.outcome(of: begun.flow)?.flow.key.description == "k2")
        let later = try before.restarted(masterKeys: Installation.secondKey)
        #expect(try await later.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `a key whose master key was removed is not spent, and that is told`() async throws {
        let (begun, key) = try await before.connect()
        let after = try before.restarted(masterKeys: Installation.secondKey)
        let missing = try #require(KeyRing.KeyID("k1"))
        await #expect(throws: RedeemError.sealBroken(begun.flow, .unknownKey(missing))) { try await after.redeem(key) }
        try await expectUnreadable(after, begun.flow, "the master key \"k1\" is not in the file")
        // Back in time, it loses nothing.
        #expect(try await before.redeem(key) != nil)
    }

    @Test func `a key whose master key has another value is not spent, and that is told`() async throws {
        let (begun, key) = try await before.connect()
        let after = try before.restarted(masterKeys: "k1:\(Installation.secondKey.dropFirst(3))")
        await #expect(throws: RedeemError.sealBroken(begun.flow, .notAuthentic)) { try await after.redeem(key) }
        try await expectUnreadable(
            after, begun.flow,
            "the master key \"k1\" does not open it: it has another value, or the row was altered")
        #expect(try await before.redeem(key) != nil)
    }

    private func expectUnreadable(_ installation: Installation, _ flow: FlowID, _ detail: String) async throws {
        let kept = try await installation.broker.events(EventFilter(), limit: 10).events.map(\.event)
        for event in [installation.events.all.last, kept.first] {
            #expect(event?.kind == .credentialKeyUnreadable)
            #expect(event?.flow == flow)
            #expect(event?.detail == detail)
        }
        #expect(!(kept + installation.events.all).contains { $0.kind == .credentialKeyRedeemed })
    }

    @Test func `a flow whose master key was removed ends as an invalid state, and no code is sent`() async throws {
        let begun = try await before.begin()
        let after = try before.restarted(masterKeys: Installation.secondKey)
        #expect(await after.callback("code=good&state=\(begun.state)").error == .invalidState)
        #expect(await after.provider.requests.isEmpty)
        #expect(
            after.events.all.last?.detail == "the master key \"k1\", which it began under, is not in the file")
    }

    @Test func `a tenant's client whose master key was removed is told by both names`() async throws {
        _ = try await before.broker.setClient(
            ClientSetting(
                tenant: Samples.tenant(), sourceType: "example", clientID: "own", clientSecret: ClientSecret("s")))
        let after = try before.restarted(masterKeys: Installation.secondKey)
        let reason = "the client secret of acme for example does not open: the master key \"k1\" is not in the file"
        await #expect(throws: AuthorizeError.store(.unavailable(reason))) { try await after.begin() }
    }

    @Test func `the outcome of a flow whose master key was removed is pending`() async throws {
        let (begun, _) = try await before.connect(verifier: Self.verifier, bound: true)
        let after = try before.restarted(masterKeys: Installation.secondKey)
        let progress = try await after.broker.flowStatus(
            of: begun.flow, for: Samples.tenant(), verifier: ExchangeVerifier(Self.verifier))
        #expect(progress.name == "pending")
        _ = try await after.broker.flowStatus(
            of: begun.flow, for: Samples.tenant(), verifier: ExchangeVerifier(Self.verifier))
        // Asked for every second, told once.
        #expect(after.events.incidents.map(\.kind) == [.outcomeUnreadable])
        #expect(after.events.incidents.first?.reason == "the master key \"k1\" is not in the file")
    }
}
