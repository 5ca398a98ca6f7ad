import Broker
import Formats
import Secrets
import Testing

@Suite struct FlowTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    @Test(arguments: Engine.allCases)
    func `a flow comes back as it was kept`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow(
            parameters: ["subdomain": "acme", "näme": "a\"b\\c\u{0}'; DROP TABLE flows; --"],
            scopes: ["read", "https://example.com/a"],
            returnURL: ReturnURL("https://app.example.com/done?a=b"), challenge: Samples.challenge("v"))
        try await store.start(flow)
        let kept = try #require(try await store.claim(flow.id, isBound: false, at: Samples.now))
        #expect(kept.id == flow.id)
        #expect(kept.tenant == flow.tenant)
        #expect(kept.sourceType == flow.sourceType)
        #expect(kept.parameters == flow.parameters)
        #expect(kept.scopes == flow.scopes)
        #expect(kept.frontendOrigin == flow.frontendOrigin)
        #expect(kept.returnURL == flow.returnURL)
        #expect(kept.exchangeChallenge == flow.exchangeChallenge)
        #expect(kept.redirect == flow.redirect)
        #expect(kept.clientID == flow.clientID)
        #expect(kept.key == flow.key)
        #expect(kept.expiresAt == flow.expiresAt)
    }

    @Test(arguments: Engine.allCases)
    func `what a flow does not have comes back as nothing`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        let kept = try #require(try await store.claim(flow.id, isBound: false, at: Samples.now))
        #expect(kept.parameters == [:])
        #expect(kept.scopes == [])
        #expect(kept.returnURL == nil)
        #expect(kept.exchangeChallenge == nil)
    }

    // MARK: claim

    @Test(arguments: Engine.allCases)
    func `a flow is claimed once`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        #expect(try await store.claim(flow.id, isBound: false, at: Samples.now) != nil)
        #expect(try await store.claim(flow.id, isBound: true, at: Samples.now) == nil)
        #expect(try await store.outcome(of: flow.id)?.isBound == false)
    }

    @Test(arguments: Engine.allCases)
    func `an unknown flow is not claimed`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        #expect(try await store.claim(FlowID(of: State.random()), isBound: false, at: Samples.now) == nil)
    }

    @Test(arguments: Engine.allCases)
    func `an expired flow is not claimed, and one about to expire is`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow(expiresAt: Samples.now)
        try await store.start(flow)
        #expect(try await store.claim(flow.id, isBound: false, at: Samples.now.adding(seconds: 1)) == nil)
        #expect(try await store.claim(flow.id, isBound: false, at: Samples.now) == nil)
        let earlier = Timestamp(milliseconds: Samples.now.milliseconds - 1)
        #expect(try await store.claim(flow.id, isBound: false, at: earlier) != nil)
    }

    @Test(arguments: Engine.allCases)
    func `a flow that began twice is refused the second time and named by no value`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow(tenant: "secretive")
        try await store.start(flow)
        let error = await #expect(throws: StoreError.self) { try await store.start(flow) }
        guard case .unavailable(let reason) = error else {
            Issue.record("not told as unavailable")
            return
        }
        #expect(!reason.contains("secretive") && !reason.contains(flow.id.description))
    }

    // MARK: delivery

    @Test(arguments: Engine.allCases)
    func `a flow is lost to the browser that began it where it cannot be claimed any more`(_ engine: Engine)
        async throws
    {
        let store = try database.open(engine)
        let (waiting, claimed, bound) = (try Samples.flow(), try Samples.flow(), try Samples.flow())
        for flow in [waiting, claimed, bound] { try await store.start(flow) }
        _ = try await store.claim(claimed.id, isBound: false, at: Samples.now)
        _ = try await store.claim(bound.id, isBound: true, at: Samples.now)
        let lost = { (flow: Flow, redirect: RedirectPath, now: Timestamp) async throws in
            try await store.noteLost(flow.id, at: redirect, now: now)?.id
        }
        #expect(try await lost(waiting, Samples.redirect, Samples.now) == nil)
        #expect(try await lost(bound, Samples.redirect, Samples.now) == nil)
        #expect(try await lost(claimed, .legacy, Samples.now) == nil)
        #expect(try await store.outcome(of: claimed.id)?.delivery == .unknown)
        #expect(try await lost(claimed, Samples.redirect, Samples.now) == claimed.id)
        #expect(try await lost(waiting, Samples.redirect, waiting.expiresAt) == waiting.id)
        #expect(try await store.outcome(of: claimed.id)?.delivery == .lost)
        #expect(try await store.outcome(of: bound.id)?.delivery == .unknown)
        #expect(try await store.noteLost(FlowID(of: .random()), at: Samples.redirect, now: Samples.now) == nil)
    }

    @Test(arguments: Engine.allCases)
    func `a key is taken once it was told or redeemed, and before that it is not`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let (told, redeemed, other) = (CredentialKey.random(), CredentialKey.random(), CredentialKey.random())
        let flow = try await store.keep(try Samples.flow(), told, isBound: true)
        try await store.keep(try Samples.flow(), redeemed)
        let unbound = try await store.keep(try Samples.flow(), other)
        for key in [told, redeemed, other, .random()] { #expect(try await !store.isTaken(key.digest)) }
        try await store.noteTold(flow.id)
        try await store.noteTold(unbound.id)
        _ = try await store.redeem(redeemed)
        #expect(try await store.isTaken(told.digest))
        #expect(try await store.isTaken(redeemed.digest))
        #expect(try await !store.isTaken(other.digest))
        #expect(try await store.redeem(told).name == "redeemed")
    }

    // MARK: succeed and fail

    @Test(arguments: Engine.allCases)
    func `a flow that was not claimed takes no credential key`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        #expect(try await !store.succeed(flow.id, with: Samples.stored(.random())))
        #expect(try await store.outcome(of: flow.id)?.status == .started)
    }

    @Test(arguments: Engine.allCases)
    func `a flow takes one credential key`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let (first, second) = (CredentialKey.random(), CredentialKey.random())
        let flow = try await store.keep(try Samples.flow(), first)
        #expect(try await !store.succeed(flow.id, with: Samples.stored(second)))
        #expect(try await store.redeem(second).name == "refused")
        #expect(try await store.redeem(first).name == "redeemed")
    }

    @Test(arguments: Engine.allCases)
    func `an unknown flow takes no credential key`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        #expect(try await !store.succeed(FlowID(of: State.random()), with: Samples.stored(.random())))
    }

    @Test(arguments: Engine.allCases)
    func `a failed flow tells why and takes no credential key`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        _ = try await store.claim(flow.id, isBound: false, at: Samples.now)
        try await store.fail(flow.id, error: "access_denied", description: "said no")
        let outcome = try #require(try await store.outcome(of: flow.id))
        #expect(outcome.status == .failed)
        #expect(outcome.error == "access_denied")
        #expect(outcome.errorDescription == "said no")
        #expect(try await !store.succeed(flow.id, with: Samples.stored(.random())))
    }

    @Test(arguments: Engine.allCases)
    func `a flow that ended well cannot fail any more`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key)
        try await store.fail(flow.id, error: "provider_timeout", description: nil)
        #expect(try await store.outcome(of: flow.id)?.status == .succeeded)
        #expect(try await store.redeem(key).name == "redeemed")
    }

    @Test(arguments: Engine.allCases)
    func `a flow that waits for its callback cannot fail`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        try await store.fail(flow.id, error: "access_denied", description: nil)
        #expect(try await store.outcome(of: flow.id)?.status == .started)
    }

    // MARK: outcome

    @Test(arguments: Engine.allCases)
    func `the outcome follows the flow`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        let key = CredentialKey.random()
        #expect(try await store.outcome(of: flow.id) == nil)
        try await store.start(flow)
        #expect(try await store.outcome(of: flow.id)?.status == .started)
        #expect(try await store.outcome(of: flow.id)?.expiresAt == flow.expiresAt)
        _ = try await store.claim(flow.id, isBound: true, at: Samples.now)
        #expect(try await store.outcome(of: flow.id)?.status == .exchanging)
        #expect(try await store.outcome(of: flow.id)?.isBound == true)
        let stored = Samples.stored(key, sealedKey: [1, 2, 3])
        #expect(try await store.succeed(flow.id, with: stored))
        let outcome = try #require(try await store.outcome(of: flow.id))
        #expect(outcome.status == .succeeded)
        #expect(outcome.key?.bytes == [1, 2, 3])
        #expect(outcome.expiresAt == stored.expiresAt)
        _ = try await store.redeem(key)
        #expect(try await store.outcome(of: flow.id)?.status == .redeemed)
        #expect(try await store.outcome(of: flow.id)?.key == nil)
    }

    @Test(arguments: Engine.allCases)
    func `asking for the outcome spends nothing`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key, isBound: true, sealedKey: [1])
        for _ in 0..<3 { #expect(try await store.outcome(of: flow.id)?.key != nil) }
        #expect(try await store.redeem(key).name == "redeemed")
    }

    /// Nobody may ask for the key of a flow whose callback came in another browser, so it is not kept.
    @Test(arguments: Engine.allCases)
    func `the key of a flow that is not bound is not kept`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try await store.keep(try Samples.flow(), .random(), isBound: false, sealedKey: [1, 2, 3])
        #expect(try await store.outcome(of: flow.id)?.key == nil)
    }
}
