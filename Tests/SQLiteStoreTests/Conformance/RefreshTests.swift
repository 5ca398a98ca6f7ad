import Broker
import Catalog
import Formats
import Secrets
import Testing

/// The leases and answers of refreshes, of which brokers learn from each other.
@Suite struct RefreshTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    @Test(arguments: Engine.allCases, 0..<5)
    func `of 32 brokers that want one refresh exactly one gets the lease`(_ engine: Engine, _ round: Int) async throws {
        let stores = [try database.open(engine), try database.open(engine)]
        let refresh = try RefreshIdentity.sample("r0")
        let starts = try await withThrowingTaskGroup(of: RefreshStart.self) { group in
            for number in UInt8(0)..<32 {
                group.addTask { try await stores[Int(number) % 2].begin(refresh, number) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(starts.filter { $0 == .begun }.count == 1)
        let leases = starts.compactMap { if case .running(let lease) = $0 { lease } else { nil } }
        #expect(leases.count == 31 && Set(leases).count == 1)
    }

    @Test(arguments: Engine.allCases)
    func `an answer is given out for 30 s by every broker`(_ engine: Engine) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await one.begin(refresh, 1) == .begun)
        #expect(try await one.answer(refresh, 1, at: 2000))
        for (milliseconds, isKept) in [(2000, true), (31_999, true), (32_000, false)] as [(Int64, Bool)] {
            let standing = try await two.standing(refresh, at: milliseconds)
            #expect(standing == (isKept ? .answered(.sample(1)) : .idle))
        }
        #expect(try await two.begin(refresh, 2, at: 31_999) == .answered(.sample(1)))
        #expect(try await two.begin(refresh, 2, at: 32_000) == .begun)
        #expect(try await one.standing(refresh, at: 32_000) == .running(.sample(2)))
    }

    @Test(arguments: Engine.allCases)
    func `a lease that nobody renews ends, and its holder's failure counts no more`(_ engine: Engine) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await one.begin(refresh, 1) == .begun)
        #expect(try await two.begin(refresh, 2, at: 9_999) == .running(.sample(1)))
        #expect(try await one.renewRefresh(refresh, under: .sample(1), at: .sample(9_999)))
        #expect(try await two.begin(refresh, 2, at: 19_998) == .running(.sample(1)))
        #expect(try await two.begin(refresh, 2, at: 19_999) == .begun)
        #expect(try await !one.renewRefresh(refresh, under: .sample(1), at: .sample(20_000)))
        #expect(try await !one.endRefresh(refresh, under: .sample(1), with: .released, at: .sample(20_000)))
        #expect(try await two.standing(refresh, at: 20_000) == .running(.sample(2)))
        #expect(try await two.answer(refresh, 2, at: 20_001))
        #expect(try await one.standing(refresh, at: 20_002) == .answered(.sample(2)))
        #expect(try await !one.answer(refresh, 1, at: 20_003))
    }

    /// A broker that was frozen has the one answer of a provider that rotates; a second call gets none.
    @Test(arguments: Engine.allCases)
    func `an answer that comes after its lease was overtaken is kept for all`(_ engine: Engine) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        for (token, hasFailed) in [("r0", false), ("r1", true)] {
            let refresh = try RefreshIdentity.sample(token)
            #expect(try await one.begin(refresh, 1) == .begun)
            #expect(try await two.begin(refresh, 2, at: 10_000) == .begun)
            if hasFailed {
                #expect(try await two.endRefresh(refresh, under: .sample(2), with: .released, at: .sample(10_001)))
            }
            #expect(try await one.answer(refresh, 1, at: 10_002))
            #expect(try await !two.endRefresh(refresh, under: .sample(2), with: .released, at: .sample(10_003)))
            guard case .answered = try await two.standing(refresh, at: 10_004) else {
                Issue.record("the answer is not kept")
                continue
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func `an answer that comes after its lease was revoked is kept for nobody`(_ engine: Engine) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await one.begin(refresh, 1) == .begun)
        try await two.forgetRefreshes(of: refresh.token)
        #expect(try await two.begin(refresh, 2, at: 10_000) == .begun)
        #expect(try await !one.answer(refresh, 1, at: 10_001))
        #expect(try await two.standing(refresh, at: 10_002) == .running(.sample(2)))
    }

    /// A caller who waits for the store has a moment from before it was given to another.
    @Test(arguments: Engine.allCases)
    func `a moment from before a lease was given out ends neither lease nor answer`(_ engine: Engine) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await one.begin(refresh, 1, at: 5) == .begun)
        #expect(try await two.begin(refresh, 2, at: 3) == .running(.sample(1)))
        #expect(try await !two.sweepRefreshes(at: .sample(3), limit: 5))
        #expect(try await one.answer(refresh, 1, at: 7))
        #expect(try await two.begin(refresh, 2, at: 6) == .answered(.sample(1)))
        #expect(try await !two.sweepRefreshes(at: .sample(6), limit: 5))
        #expect(try await database.count(.refreshes, in: engine) == 1)
    }

    /// The machine's own time counts, whatever the clock is set to.
    @Test(arguments: Engine.allCases)
    func `no setting of the clock prolongs or ends what is kept`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await store.begin(refresh, 1) == .begun)
        #expect(try await store.answer(refresh, 1, at: 0))
        for setBy in [-3_600_000, -20_000, 3_600_000] as [Int64] {
            let at = { (uptime: Int64) in Moment.sample(uptime, clockSetBy: setBy) }
            #expect(try await store.refreshState(of: refresh, at: at(29_999)).standing == .answered(.sample(1)))
            #expect(try await store.refreshState(of: refresh, at: at(30_000)).standing == .idle)
        }
    }

    /// Its clock is all that tells then: one that shows less than before was set back.
    @Test(arguments: Engine.withoutClock)
    func `after a restart of the machine the clock counts unless it was set back`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await store.begin(refresh, 1) == .begun)
        #expect(try await store.answer(refresh, 1, at: 0))
        for (clock, isKept) in [(-1, false), (0, true), (29_999, true), (30_000, false)] as [(Int64, Bool)] {
            let moment = Moment.sample(5, clockSetBy: clock - 5, machine: "restarted")
            let standing = try await store.refreshState(of: refresh, at: moment).standing
            #expect(standing == (isKept ? .answered(.sample(1)) : .idle), "\(clock)")
        }
    }

    @Test(arguments: Engine.allCases)
    func `a failure is for those who wait for its lease and not for who comes later`(_ engine: Engine) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await one.begin(refresh, 1) == .begun)
        let end = RefreshEnd.failed(Sealed(stored: [7]))
        #expect(try await one.endRefresh(refresh, under: .sample(1), with: end, at: .sample(5)))
        #expect(try await two.standing(refresh, at: 6) == .idle)
        // Whoever comes begins, and those who have not looked yet still see it.
        #expect(try await two.begin(refresh, 2, at: 7) == .begun)
        #expect(try await two.answer(refresh, 2, at: 8))
        let state = try await one.refreshState(of: refresh, at: .sample(9))
        #expect(state.failure?.lease == .sample(1))
        #expect(state.failure?.sealed == Sealed(stored: [7]))
        #expect(state.standing == .answered(.sample(2)))
    }

    @Test(arguments: Engine.allCases)
    func `a lease that was given back is free at once`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await store.begin(refresh, 1) == .begun)
        #expect(try await store.endRefresh(refresh, under: .sample(1), with: .released, at: .sample(1)))
        #expect(try await store.refreshState(of: refresh, at: .sample(1)).failure == nil)
        #expect(try await store.begin(refresh, 2, at: 1) == .begun)
    }

    @Test(arguments: Engine.allCases)
    func `an answer that does not open is given up by who says which`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await store.begin(refresh, 1) == .begun)
        #expect(try await store.answer(refresh, 1, at: 1))
        let other = try await store.beginRefresh(refresh, under: .sample(2), replacing: .sample(9), at: .sample(2))
        #expect(other == .answered(.sample(1)))
        let start = try await store.beginRefresh(refresh, under: .sample(2), replacing: .sample(1), at: .sample(2))
        #expect(start == .begun)
    }

    /// The one sent, the two of the answer, and those of the refreshes before and after.
    @Test(arguments: Engine.allCases, ["r0", "a1", "r1", "a2", "r2"])
    func `a revocation of any token of a grant ends its answers`(_ engine: Engine, _ revoked: String) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        let first = try RefreshIdentity.sample("r0")
        let (second, other) = (try RefreshIdentity.sample("r1"), try RefreshIdentity.sample("s0"))
        for (refresh, tokens) in [(first, ["a1", "r1"]), (second, ["a2", "r2"]), (other, ["b1", "s1"])] {
            #expect(try await one.begin(refresh, 1) == .begun)
            #expect(try await one.answer(refresh, 1, at: 0, tokens: tokens))
        }
        try await two.forgetRefreshes(of: Digest(of: revoked))
        #expect(try await one.standing(first, at: 1) == .idle)
        #expect(try await one.standing(second, at: 1) == .idle)
        #expect(try await one.standing(other, at: 1) == .answered(.sample(1)))
        #expect(try await database.count(.refreshTokens, in: engine) == 3)
    }

    /// Services drop old access tokens, and a second call would be taken for theft.
    @Test(arguments: Engine.allCases)
    func `a call that runs goes on while an earlier token of its grant is revoked`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let (first, second) = (try RefreshIdentity.sample("r0"), try RefreshIdentity.sample("r1"))
        #expect(try await store.begin(first, 1) == .begun)
        #expect(try await store.answer(first, 1, at: 0, tokens: ["a1", "r1"]))
        #expect(try await store.begin(second, 2) == .begun)
        try await store.forgetRefreshes(of: Digest(of: "a1"))
        #expect(try await store.standing(first, at: 1) == .idle)
        #expect(try await store.standing(second, at: 1) == .running(.sample(2)))
        try await store.forgetRefreshes(of: Digest(of: "r1"))
        #expect(try await store.standing(second, at: 1) == .idle)
    }

    @Test(arguments: Engine.allCases)
    func `a call that runs while its token is revoked is kept for nobody`(_ engine: Engine) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        let refresh = try RefreshIdentity.sample("r0")
        #expect(try await one.begin(refresh, 1) == .begun)
        try await two.forgetRefreshes(of: Digest(of: "r0"))
        #expect(try await two.begin(refresh, 2) == .begun)
        #expect(try await !one.renewRefresh(refresh, under: .sample(1), at: .sample(1)))
        #expect(try await !one.answer(refresh, 1, at: 1))
        #expect(try await two.standing(refresh, at: 2) == .running(.sample(2)))
    }

    @Test(arguments: Engine.allCases)
    func `an operator's revocation ends the answers of its selection`(_ engine: Engine) async throws {
        let (one, two) = (try database.open(engine), try database.open(engine))
        let refreshes = [
            try RefreshIdentity.sample("r"), try .sample("r", sourceType: "drive"), try .sample("r", tenant: "other"),
        ]
        for refresh in refreshes {
            #expect(try await one.begin(refresh, 1) == .begun)
            #expect(try await one.answer(refresh, 1, at: 0))
        }
        var selections: [(Selection, [Bool])] = [(Selection(flow: FlowID(of: .random())), [true, true, true])]
        selections.append(
            (Selection(tenant: try Samples.tenant(), sourceType: SourceType.ID("wiki")), [false, true, true]))
        selections.append((Selection(tenant: try Samples.tenant()), [false, false, true]))
        selections.append((Selection(), [false, false, false]))
        for (selection, kept) in selections {
            _ = try await two.revokeFlows(
                selection, at: Samples.now, recording: Event(.revocation, at: Samples.now, detail: "test"))
            for (refresh, isKept) in zip(refreshes, kept) {
                #expect(try await one.standing(refresh, at: 1) == (isKept ? .answered(.sample(1)) : .idle))
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func `a sweep deletes what nobody gets any more and nothing else`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let old = try (0..<7).map { try RefreshIdentity.sample("r\($0)") }
        for refresh in old {
            #expect(try await store.begin(refresh, 1) == .begun)
            #expect(try await store.answer(refresh, 1, at: 0))
        }
        let young = try RefreshIdentity.sample("s")
        #expect(try await store.begin(young, 2, at: 1) == .begun)
        #expect(try await store.answer(young, 2, at: 1))
        #expect(try await !store.sweepRefreshes(at: .sample(29_999, clockSetBy: 90_000), limit: 5))
        #expect(try await database.count(.refreshes, in: engine) == 8)
        #expect(try await store.sweepRefreshes(at: .sample(30_000, clockSetBy: -90_000), limit: 5))
        #expect(try await !store.sweepRefreshes(at: .sample(30_000), limit: 5))
        #expect(try await store.standing(young, at: 30_000) == .answered(.sample(2)))
        #expect(try await database.count(.refreshes, in: engine) == 1)
        #expect(try await database.count(.refreshTokens, in: engine) == 1)
        // What a clock that was set back makes look young goes too.
        guard Engine.withoutClock.contains(engine) else { return }
        #expect(try await !store.sweepRefreshes(at: .sample(3, clockSetBy: -10, machine: "restarted"), limit: 5))
        #expect(try await database.count(.refreshes, in: engine) == 0)
    }
}

extension RefreshIdentity {
    static func sample(
        _ token: String, tenant: String = "acme", sourceType: String = "wiki"
    ) throws -> RefreshIdentity {
        RefreshIdentity(
            tenant: try Samples.tenant(tenant), sourceType: try #require(SourceType.ID(sourceType)), client: "client",
            parameters: [:], scopes: nil, token: RefreshToken(token))
    }
}

extension RefreshLease {
    static func sample(_ number: UInt8) -> RefreshLease { RefreshLease(stored: [number]) }
}

extension KeptRefresh {
    static func sample(_ number: UInt8) -> KeptRefresh {
        KeptRefresh(lease: .sample(number), answer: Sealed(stored: [number, number]))
    }
}

extension Moment {
    static func sample(_ uptime: Int64, clockSetBy: Int64 = 0, machine: String = "machine") -> Moment {
        Moment(
            time: Timestamp(milliseconds: Samples.now.milliseconds + uptime + clockSetBy),
            machine: Digest(of: machine), uptime: uptime)
    }
}

extension RefreshStore {
    fileprivate func begin(
        _ refresh: RefreshIdentity, _ lease: UInt8, at milliseconds: Int64 = 0
    ) async throws(StoreError) -> RefreshStart {
        try await beginRefresh(refresh, under: .sample(lease), replacing: nil, at: .sample(milliseconds))
    }

    fileprivate func answer(
        _ refresh: RefreshIdentity, _ lease: UInt8, at milliseconds: Int64, tokens: [String] = []
    ) async throws(StoreError) -> Bool {
        let end = RefreshEnd.answered(KeptRefresh.sample(lease).answer, tokens: tokens.map { Digest(of: $0) })
        return try await endRefresh(refresh, under: .sample(lease), with: end, at: .sample(milliseconds))
    }

    fileprivate func standing(
        _ refresh: RefreshIdentity, at milliseconds: Int64
    ) async throws(StoreError) -> RefreshState.Standing {
        try await refreshState(of: refresh, at: .sample(milliseconds)).standing
    }
}
