import Broker
import Formats
import Secrets
import Testing

/// Credential keys as operators see and destroy them.
@Suite struct CredentialKeyTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    @Test(arguments: Engine.allCases)
    func `pages hold every credential key once while others come and go`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let keys = Samples.keys(40)
        for (number, key) in keys.enumerated() {
            // Several expire at the same moment.
            try await store.keep(
                try Samples.flow(), key, expiresAt: Samples.now.adding(seconds: 100 + Int64(number / 7)))
        }
        var seen: [FlowID] = []
        var position: CredentialKeyPosition?
        for round in 0... {
            let page = try await store.credentialKeys(Selection(), at: Samples.now, after: position, limit: 7)
                .credentialKeys
            if page.isEmpty { break }
            seen += page.map(\.placement.flow)
            position = page.last?.position
            // Behind and before the place: neither may show twice or hide another.
            _ = try await store.redeem(keys[round])
            try await store.keep(try Samples.flow(), .random(), expiresAt: Samples.now.adding(seconds: 99))
        }
        #expect(Set(seen).count == seen.count)
        #expect(seen.count == 40)
    }

    @Test func `a position survives its text, and nothing else is one`() throws {
        let position = CredentialKeyPosition(expiresAt: Samples.now, keyDigest: CredentialKey.random().digest.bytes)
        #expect(CredentialKeyPosition(position.text) == position)
        for text in ["", "x", String(position.text.dropLast()), position.text + "A", "\u{0}"] {
            #expect(CredentialKeyPosition(text) == nil)
        }
    }

    @Test(arguments: Engine.allCases)
    func `only what fits and has not expired is listed`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try await store.keep(try Samples.flow(tenant: "one"), .random())
        try await store.keep(try Samples.flow(tenant: "two"), .random())
        try await store.keep(try Samples.flow(tenant: "one"), .random(), expiresAt: Samples.now)
        let listed = try await store.credentialKeys(
            Selection(tenant: Samples.tenant("one")), at: Samples.now, after: nil, limit: 10
        ).credentialKeys
        #expect(listed.map(\.placement) == [flow.placement])
        #expect(listed.first?.createdAt == Samples.now)
    }

    @Test(arguments: Engine.allCases)
    func `a destroyed credential key is refused, not taken for reuse`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let key = CredentialKey.random()
        try await store.keep(try Samples.flow(), key)
        #expect(try await store.destroy(Selection(tenant: Samples.tenant())).count == 1)
        #expect(try await store.redeem(key).name == "refused")
        #expect(
            try await store.credentialKeys(Selection(), at: Samples.now, after: nil, limit: 10).credentialKeys.isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func `only the selection is destroyed, and only flows from before`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let keys = Samples.keys(3)
        try await store.keep(try Samples.flow(tenant: "one"), keys[0])
        try await store.keep(try Samples.flow(tenant: "two"), keys[1])
        let one = Selection(tenant: try Samples.tenant("one"))
        let (early, _) = try await store.destroyCredentialKeys(
            one, startedBefore: RevocationNumber(0), after: nil, limit: 10, by: Requester(), at: Samples.now)
        #expect(early.isEmpty)
        // By a clock that was set back: the flow began before all the same.
        #expect(try await store.destroy(one, at: Samples.now.adding(seconds: -1)).count == 1)
        try await store.keep(try Samples.flow(tenant: "one"), keys[2])
        #expect(try await store.redeem(keys[0], tenant: "one").name == "refused")
        #expect(try await store.redeem(keys[1], tenant: "two").name == "redeemed")
        #expect(try await store.redeem(keys[2], tenant: "one").name == "redeemed")
    }

    @Test(arguments: Engine.allCases, [false, true])
    func `a revoked flow gets no claim and no credential key`(_ engine: Engine, _ claimed: Bool) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        if claimed { _ = try #require(try await store.claim(flow.id, isBound: true, at: Samples.now)) }
        let other = try Samples.flow(tenant: "other")
        try await store.start(other)
        try await store.revokeFlows(Selection(tenant: Samples.tenant()))
        #expect(try await store.outcome(of: flow.id)?.status == .failed)
        #expect(try await store.outcome(of: flow.id)?.error == "invalid_state")
        if claimed {
            #expect(try await !store.succeed(flow.id, with: Samples.stored(.random())))
        } else {
            #expect(try await store.claim(flow.id, isBound: true, at: Samples.now) == nil)
        }
        #expect(try await store.claim(other.id, isBound: true, at: Samples.now) != nil)
    }

    @Test(arguments: Engine.allCases)
    func `a flow that begins in the moment of a revocation, but after it, lives`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        try await store.revokeFlows(Selection())
        let flow = try Samples.flow()
        try await store.start(flow)
        #expect(try await store.claim(flow.id, isBound: true, at: Samples.now) != nil)
    }

    @Test(arguments: Engine.allCases)
    func `one flow can be revoked by its id`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let (flow, other) = (try Samples.flow(), try Samples.flow())
        try await store.start(flow)
        try await store.start(other)
        try await store.revokeFlows(Selection(tenant: Samples.tenant("stranger"), flow: flow.id))
        #expect(try await store.outcome(of: flow.id)?.status == .started)
        try await store.revokeFlows(Selection(flow: flow.id))
        #expect(try await store.claim(flow.id, isBound: true, at: Samples.now) == nil)
        #expect(try await store.claim(other.id, isBound: true, at: Samples.now) != nil)
    }

    /// By a clock that is ahead, every credential key has expired, and is good again when the clock is right.
    @Test(arguments: Engine.allCases, [-1200, 0, 1200, 90_000])
    func `a revocation takes back what began before it, whatever its clock says`(_ engine: Engine, _ seconds: Int64)
        async throws
    {
        let store = try database.open(engine)
        let clock = Samples.now.adding(seconds: seconds)
        let (key, later) = (CredentialKey.random(), CredentialKey.random())
        let waiting = try Samples.flow()
        try await store.keep(try Samples.flow(), key)
        try await store.start(waiting)
        #expect(try await store.destroy(Selection(), at: clock, now: clock).count == 1)
        #expect(try await store.redeem(key).name == "refused")
        #expect(try await store.claim(waiting.id, isBound: false, at: Samples.now) == nil)
        try await store.keep(try Samples.flow(), later)
        #expect(try await store.redeem(later).name == "redeemed")
    }

    @Test(arguments: Engine.allCases)
    func `a revocation by one store holds for another on the file`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let other = try database.open(engine)
        let (flow, key) = (try Samples.flow(), CredentialKey.random())
        try await other.start(flow)
        try await other.keep(try Samples.flow(), key)
        try await store.revokeFlows(Selection())
        #expect(try await other.claim(flow.id, isBound: false, at: Samples.now) == nil)
        #expect(try await other.redeem(key).name == "refused")
    }

    /// The revoking process may die before it destroyed them.
    @Test(arguments: Engine.allCases)
    func `a credential key that is still there after a revocation is refused`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key, isBound: true, sealedKey: [1])
        try await store.revokeFlows(Selection(flow: flow.id))
        #expect(try await store.redeem(key).name == "refused")
        #expect(try await store.outcome(of: flow.id)?.error == "invalid_state")
        #expect(try await store.outcome(of: flow.id)?.key == nil)
        #expect(try await store.destroy(Selection()).count == 1)
    }

    @Test(arguments: Engine.allCases)
    func `a sweep forgets a revocation only when nothing from before it is left`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let flow = try Samples.flow()
        try await store.start(flow)
        try await store.revokeFlows(Selection())
        for seconds in [0, 100_000, -100_000] as [Int64] {
            _ = try await store.sweep(at: Samples.now.adding(seconds: seconds), limit: 10)
            #expect(try await store.claim(flow.id, isBound: false, at: Samples.now) == nil)
        }
        _ = try await store.sweep(at: Samples.now.adding(seconds: 300_000), limit: 10)
        _ = try await store.sweep(at: Samples.now.adding(seconds: 300_000), limit: 10)
        #expect(try await store.outcome(of: flow.id) == nil)
        // Its number does not come back: a flow that began after it is not taken back by accident, nor spared.
        let second = try Samples.flow()
        try await store.start(second)
        let number = try await store.revokeFlows(
            Selection(), at: Samples.now, recording: Event(.revocation, at: Samples.now, detail: "test"))
        #expect(number == RevocationNumber(2))
        #expect(try await store.claim(second.id, isBound: false, at: Samples.now) == nil)
    }

    @Test(arguments: Engine.allCases)
    func `no key is both revoked and redeemed`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let keys = Samples.keys(10_000)
        try await store.fill(keys)
        let redeemed = Task {
            var count = 0
            for key in keys.shuffled() where try await store.redeem(key).name == "redeemed" { count += 1 }
            return count
        }
        let destroyed = try await store.destroy(Selection())
        let count = try await redeemed.value
        #expect(Set(destroyed.map(\.placement.flow)).count == destroyed.count)
        #expect(destroyed.count + count == keys.count)
    }
}

extension CredentialKeyStore {
    fileprivate func revokeFlows(_ selection: Selection) async throws {
        _ = try await revokeFlows(
            selection, at: Samples.now, recording: Event(.revocation, at: Samples.now, detail: "test"))
    }

    fileprivate func destroy(
        _ selection: Selection, at time: Timestamp = Samples.now, now: Timestamp = Samples.now
    ) async throws -> [DestroyedCredentialKey] {
        let drawn = try await revokeFlows(
            selection, at: time, recording: Event(.revocation, at: Samples.now, detail: "test"))
        var destroyed: [DestroyedCredentialKey] = []
        var position: CredentialKeyPosition?
        repeat {
            let batch = try await destroyCredentialKeys(
                selection, startedBefore: drawn, after: position, limit: 100, by: .unknown, at: now)
            destroyed += batch.destroyed
            position = batch.position
        } while position != nil
        return destroyed
    }
}
