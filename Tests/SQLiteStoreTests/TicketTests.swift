import Broker
import Formats
import SQLiteStore
import Secrets
import Testing

/// Tickets as operators see and destroy them.
@Suite struct TicketTests {
    private let folder: TemporaryFolder
    private let store: SQLiteStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.database)
    }

    @Test func `pages hold every ticket once while others come and go`() async throws {
        let keys = Samples.keys(40)
        for (number, key) in keys.enumerated() {
            // Several expire at the same moment.
            try await store.keep(
                try Samples.flow(), key, expiresAt: Samples.now.adding(seconds: 100 + Int64(number / 7)))
        }
        var seen: [FlowID] = []
        var position: TicketPosition?
        for round in 0... {
            let page = try await store.tickets(Selection(), at: Samples.now, after: position, limit: 7).tickets
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
        let position = TicketPosition(expiresAt: Samples.now, keyDigest: CredentialKey.random().digest.bytes)
        #expect(TicketPosition(position.text) == position)
        for text in ["", "x", String(position.text.dropLast()), position.text + "A", "\u{0}"] {
            #expect(TicketPosition(text) == nil)
        }
    }

    @Test func `only what fits and has not expired is listed`() async throws {
        let flow = try await store.keep(try Samples.flow(tenant: "one"), .random())
        try await store.keep(try Samples.flow(tenant: "two"), .random())
        try await store.keep(try Samples.flow(tenant: "one"), .random(), expiresAt: Samples.now)
        let listed = try await store.tickets(
            Selection(tenant: Samples.tenant("one")), at: Samples.now, after: nil, limit: 10
        ).tickets
        #expect(listed.map(\.placement) == [flow.placement])
        #expect(listed.first?.createdAt == Samples.now)
    }

    @Test func `a destroyed ticket is refused, not taken for reuse`() async throws {
        let key = CredentialKey.random()
        try await store.keep(try Samples.flow(), key)
        #expect(try await destroy(Selection(tenant: Samples.tenant())).count == 1)
        #expect(try await store.redeem(key).name == "refused")
        #expect(try await store.tickets(Selection(), at: Samples.now, after: nil, limit: 10).tickets.isEmpty)
    }

    @Test func `only the selection is destroyed, and only flows from before`() async throws {
        let keys = Samples.keys(3)
        try await store.keep(try Samples.flow(tenant: "one"), keys[0])
        try await store.keep(try Samples.flow(tenant: "two"), keys[1])
        let one = Selection(tenant: try Samples.tenant("one"))
        let (early, _) = try await store.destroyTickets(
            one, startedBefore: RevocationNumber(0), after: nil, limit: 10, by: Requester(), at: Samples.now)
        #expect(early.isEmpty)
        // By a clock that was set back: the flow began before all the same.
        #expect(try await destroy(one, at: Samples.now.adding(seconds: -1)).count == 1)
        try await store.keep(try Samples.flow(tenant: "one"), keys[2])
        #expect(try await store.redeem(keys[0], tenant: "one").name == "refused")
        #expect(try await store.redeem(keys[1], tenant: "two").name == "redeemed")
        #expect(try await store.redeem(keys[2], tenant: "one").name == "redeemed")
    }

    @Test(arguments: [false, true])
    func `a revoked flow gets no claim and no ticket`(_ claimed: Bool) async throws {
        let flow = try Samples.flow()
        try await store.start(flow)
        if claimed { _ = try #require(try await store.claim(flow.id, isBound: true, at: Samples.now)) }
        let other = try Samples.flow(tenant: "other")
        try await store.start(other)
        try await revokeFlows(Selection(tenant: Samples.tenant()))
        #expect(try await store.outcome(of: flow.id)?.status == .failed)
        #expect(try await store.outcome(of: flow.id)?.error == "invalid_state")
        if claimed {
            #expect(try await !store.succeed(flow.id, with: Samples.ticket(.random())))
        } else {
            #expect(try await store.claim(flow.id, isBound: true, at: Samples.now) == nil)
        }
        #expect(try await store.claim(other.id, isBound: true, at: Samples.now) != nil)
    }

    @Test func `a flow that begins in the moment of a revocation, but after it, lives`() async throws {
        try await revokeFlows(Selection())
        let flow = try Samples.flow()
        try await store.start(flow)
        #expect(try await store.claim(flow.id, isBound: true, at: Samples.now) != nil)
    }

    @Test func `one flow can be revoked by its id`() async throws {
        let (flow, other) = (try Samples.flow(), try Samples.flow())
        try await store.start(flow)
        try await store.start(other)
        try await revokeFlows(Selection(tenant: Samples.tenant("stranger"), flow: flow.id))
        #expect(try await store.outcome(of: flow.id)?.status == .started)
        try await revokeFlows(Selection(flow: flow.id))
        #expect(try await store.claim(flow.id, isBound: true, at: Samples.now) == nil)
        #expect(try await store.claim(other.id, isBound: true, at: Samples.now) != nil)
    }

    /// By a clock that is ahead, every ticket has expired, and is good again when the clock is right.
    @Test(arguments: [-1200, 0, 1200, 90_000])
    func `a revocation takes back what began before it, whatever its clock says`(_ seconds: Int64) async throws {
        let clock = Samples.now.adding(seconds: seconds)
        let (key, later) = (CredentialKey.random(), CredentialKey.random())
        let waiting = try Samples.flow()
        try await store.keep(try Samples.flow(), key)
        try await store.start(waiting)
        #expect(try await destroy(Selection(), at: clock, now: clock).count == 1)
        #expect(try await store.redeem(key).name == "refused")
        #expect(try await store.claim(waiting.id, isBound: false, at: Samples.now) == nil)
        try await store.keep(try Samples.flow(), later)
        #expect(try await store.redeem(later).name == "redeemed")
    }

    @Test func `a revocation by one store holds for another on the file`() async throws {
        let other = try SQLiteStore(path: folder.database)
        let (flow, key) = (try Samples.flow(), CredentialKey.random())
        try await other.start(flow)
        try await other.keep(try Samples.flow(), key)
        try await revokeFlows(Selection())
        #expect(try await other.claim(flow.id, isBound: false, at: Samples.now) == nil)
        #expect(try await other.redeem(key).name == "refused")
    }

    /// The revoking process may die before it destroyed them.
    @Test func `a ticket that is still there after a revocation is refused`() async throws {
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key, isBound: true, sealedKey: [1])
        try await revokeFlows(Selection(flow: flow.id))
        #expect(try await store.redeem(key).name == "refused")
        #expect(try await store.outcome(of: flow.id)?.error == "invalid_state")
        #expect(try await store.outcome(of: flow.id)?.key == nil)
        #expect(try await destroy(Selection()).count == 1)
    }

    @Test func `a sweep forgets a revocation only when nothing from before it is left`() async throws {
        let flow = try Samples.flow()
        try await store.start(flow)
        try await revokeFlows(Selection())
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
            Selection(), at: Samples.now, Event(.revocation, at: Samples.now, detail: "test"))
        #expect(number == RevocationNumber(2))
        #expect(try await store.claim(second.id, isBound: false, at: Samples.now) == nil)
    }

    @Test func `no key is both revoked and redeemed`() async throws {
        let keys = Samples.keys(10_000)
        try await store.fill(keys)
        let store = store
        let redeemed = Task {
            var count = 0
            for key in keys.shuffled() where try await store.redeem(key).name == "redeemed" { count += 1 }
            return count
        }
        let destroyed = try await destroy(Selection())
        let count = try await redeemed.value
        #expect(Set(destroyed.map(\.placement.flow)).count == destroyed.count)
        #expect(destroyed.count + count == keys.count)
    }

    private func revokeFlows(_ selection: Selection) async throws {
        _ = try await store.revokeFlows(
            selection, at: Samples.now, Event(.revocation, at: Samples.now, detail: "test"))
    }

    private func destroy(
        _ selection: Selection, at time: Timestamp = Samples.now, now: Timestamp = Samples.now
    ) async throws -> [DestroyedTicket] {
        let drawn = try await store.revokeFlows(
            selection, at: time, Event(.revocation, at: Samples.now, detail: "test"))
        var destroyed: [DestroyedTicket] = []
        var position: TicketPosition?
        repeat {
            let batch = try await store.destroyTickets(
                selection, startedBefore: drawn, after: position, limit: 100, by: .unknown, at: now)
            destroyed += batch.destroyed
            position = batch.position
        } while position != nil
        return destroyed
    }
}
