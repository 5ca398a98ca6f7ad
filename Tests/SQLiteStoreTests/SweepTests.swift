import Broker
import Formats
import GRDB
import SQLiteStore
import Secrets
import Testing

@Suite struct SweepTests {
    private let folder: TemporaryFolder
    private let store: SQLiteStore
    /// After the flows' states, and the patience for exchanges that may still run.
    private let later = Samples.now.adding(seconds: 600 + 300)

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.database)
    }

    @Test func `a sweep of an empty store has nothing left`() async throws {
        #expect(try await !store.sweep(at: Samples.now, limit: 10))
    }

    @Test func `an expired ticket goes, and its sealed key is forgotten`() async throws {
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key, isBound: true, sealedKey: [1, 2, 3])
        _ = try await store.sweep(at: Samples.now.adding(seconds: 300), limit: 10)
        #expect(try await rows("credential_keys") == 0)
        #expect(try await store.outcome(of: flow.id)?.key == nil)
        #expect(try await store.redeem(key).name == "refused")
    }

    @Test func `a ticket that has not expired stays`() async throws {
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key, isBound: true, sealedKey: [1, 2, 3])
        _ = try await store.sweep(at: Timestamp(milliseconds: Samples.now.milliseconds + 299_999), limit: 10)
        #expect(try await store.outcome(of: flow.id)?.key != nil)
        #expect(try await store.redeem(key).name == "redeemed")
    }

    @Test(arguments: [false, true])
    func `a flow that never ended becomes failed`(_ claimed: Bool) async throws {
        let flow = try Samples.flow()
        try await store.start(flow)
        if claimed { _ = try await store.claim(flow.id, isBound: true, at: Samples.now) }
        _ = try await store.sweep(at: later, limit: 10)
        let outcome = try #require(try await store.outcome(of: flow.id))
        #expect(outcome.status == .failed)
        #expect(outcome.error == "expired")
        #expect(try await !store.succeed(flow.id, with: Samples.ticket(.random())))
    }

    @Test func `an exchange that may still run is left alone`() async throws {
        let flow = try Samples.flow()
        try await store.start(flow)
        _ = try await store.claim(flow.id, isBound: false, at: Samples.now)
        _ = try await store.sweep(at: Timestamp(milliseconds: later.milliseconds - 1), limit: 10)
        #expect(try await store.succeed(flow.id, with: Samples.ticket(.random())))
    }

    @Test func `a flow that failed keeps its reason`() async throws {
        let flow = try Samples.flow()
        try await store.start(flow)
        _ = try await store.claim(flow.id, isBound: false, at: Samples.now)
        try await store.fail(flow.id, error: "access_denied", description: "no")
        _ = try await store.sweep(at: later, limit: 10)
        #expect(try await store.outcome(of: flow.id)?.error == "access_denied")
    }

    @Test func `a spent key is told for a day and then forgotten`() async throws {
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key).name == "redeemed")
        try await sweepAll(at: later)
        #expect(try await store.redeem(key).name == "reused")
        try await sweepAll(at: Timestamp(milliseconds: later.adding(seconds: Samples.day).milliseconds - 1))
        #expect(try await store.redeem(key).name == "reused")
        try await sweepAll(at: later.adding(seconds: Samples.day))
        #expect(try await store.redeem(key).name == "refused")
        #expect(try await store.outcome(of: flow.id) == nil)
        #expect(try await rows("flows") == 0)
    }

    @Test func `a key that never was redeemed leaves nothing after a day`() async throws {
        try await store.keep(try Samples.flow(), .random(), isBound: true, sealedKey: [1])
        try await sweepAll(at: later)
        try await sweepAll(at: later.adding(seconds: Samples.day))
        #expect(try await rows("flows") == 0)
        #expect(try await rows("credential_keys") == 0)
    }

    @Test func `a sweep takes no more than its limit and says that more is left`() async throws {
        try await store.fill(Samples.keys(25))
        #expect(try await store.sweep(at: later, limit: 10))
        #expect(try await rows("credential_keys") == 15)
        #expect(try await store.sweep(at: later, limit: 10))
        #expect(try await rows("credential_keys") == 5)
        #expect(try await !store.sweep(at: later, limit: 10))
        #expect(try await rows("credential_keys") == 0)
        #expect(try await rows("flows") == 25)
    }

    @Test func `sweeps come to an end`() async throws {
        try await store.fill(Samples.keys(20))
        try await sweepAll(at: later, limit: 7)
        try await sweepAll(at: later.adding(seconds: Samples.day), limit: 7)
        #expect(try await rows("flows") == 0)
    }

    private func sweepAll(at now: Timestamp, limit: Int = 500) async throws {
        var sweeps = 0
        while try await store.sweep(at: now, limit: limit) {
            sweeps += 1
            try #require(sweeps < 100)
        }
    }

    /// Counted by another connection, which sees only what was committed.
    private func rows(_ table: String) async throws -> Int {
        var configuration = Configuration()
        configuration.readonly = true
        return try await DatabaseQueue(path: folder.database, configuration: configuration).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? -1
        }
    }
}
