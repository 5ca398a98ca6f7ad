import Broker
import Catalog
import Foundation
import GRDB
import SQLiteStore
import Secrets
import StoreParts
import Testing

@Suite struct AuditTrailTests {
    private let folder: TemporaryFolder
    private let store: SQLiteStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.database)
    }

    @Test func `events of two brokers on one file make one trail`() async throws {
        let second = try SQLiteStore(path: folder.database)
        try await withThrowingTaskGroup { group in
            for number in 0..<100 {
                let broker = number.isMultiple(of: 2) ? store : second
                group.addTask { try await broker.record(Event(.flowStarted, at: Samples.now)) }
            }
            try await group.waitForAll()
        }
        #expect(try verified() == .sound(events: 100, first: 1, last: 100))
    }

    @Test func `an empty trail is sound`() throws {
        #expect(try verified() == .sound(events: 0, first: 1, last: 0))
    }

    @Test func `old events go, and the rest stays proven`() async throws {
        for number in 0..<10 {
            try await store.record(Event(.flowStarted, at: Samples.now.adding(seconds: Int64(number))))
        }
        let swept = try await store.sweep(
            at: Samples.now, eventsSince: Samples.now.adding(seconds: 4), limit: 100)
        #expect(!swept.isUnfinished)
        #expect(try verified() == .sound(events: 6, first: 5, last: 10))
        _ = try await store.sweep(at: Samples.now, eventsSince: Samples.now.adding(seconds: 100), limit: 100)
        #expect(try verified() == .sound(events: 0, first: 11, last: 10))
        try await store.record(Event(.flowStarted, at: Samples.now))
        #expect(try verified() == .sound(events: 1, first: 11, last: 11))
    }

    @Test func `time never runs backwards in it`() async throws {
        for seconds in [100, 40, 200, 0] as [Int64] {
            try await store.record(Event(.flowStarted, at: Samples.now.adding(seconds: seconds), detail: "d"))
        }
        let events = try await store.events(EventFilter(), before: nil, limit: 10).events.map(\.event)
        #expect(events.map { $0.time.milliseconds - Samples.now.milliseconds } == [200_000, 200_000, 100_000, 100_000])
        // Calls wait for their commit: a moment is no news.
        #expect(events.map(\.detail) == ["d; the clock said \(Samples.now.milliseconds)", "d", "d", "d"])
        #expect(try verified() == .sound(events: 4, first: 1, last: 4))
        // Also where nothing is left to look at.
        _ = try await store.sweep(at: Samples.now, eventsSince: Samples.now.adding(seconds: 500), limit: 10)
        try await store.record(Event(.flowStarted, at: Samples.now))
        #expect(
            try await store.events(EventFilter(), before: nil, limit: 10).events.first?.event.time
                == Samples.now.adding(seconds: 200))
        #expect(try verified() == .sound(events: 1, first: 5, last: 5))
    }

    /// More rows than a page looks at, and what is looked for under them.
    @Test func `a page looks at a bounded number of events and tells where to go on`() async throws {
        try await store.record(Event(.clientChanged, at: Samples.now, tenant: Samples.tenant("rare")))
        try await DatabaseQueue(path: folder.database).write { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
                    INSERT INTO audit_events (sequence, time, type, tenant, digest)
                        SELECT i, \(Samples.now.milliseconds), 'flow.started', 'acme', x'' FROM n
                    """)
        }
        let rare = EventFilter(tenant: try Samples.tenant("rare"))
        var before: Int64?
        var found: [Int64] = []
        var pages = 0
        repeat {
            let page = try await store.events(rare, before: before, limit: 10)
            found += page.events.map(\.sequence)
            before = page.next
            pages += 1
        } while before != nil
        #expect(found == [1])
        #expect(pages == 3)
        // An index leads to the types that are seldom.
        let page = try await store.events(EventFilter(kind: .clientChanged), before: nil, limit: 10)
        #expect(page.events.map(\.sequence) == [1])
        #expect(page.next == nil)
        // Those of one type that is common, one after the other.
        let common = try await store.events(EventFilter(kind: .flowStarted), before: nil, limit: 10)
        #expect(common.events.map(\.sequence) == Array((119_991...120_000).reversed()))
    }

    @Test(arguments: [
        "UPDATE audit_events SET time = time + 1 WHERE sequence = 5",
        "UPDATE audit_events SET type = 'flow.failed' WHERE sequence = 5",
        "UPDATE audit_events SET tenant = 'other' WHERE sequence = 5",
        "UPDATE audit_events SET tenant = NULL WHERE sequence = 5",
        "UPDATE audit_events SET tenant = x'00' WHERE sequence = 5",
        "UPDATE audit_events SET source_type = 'other' WHERE sequence = 5",
        "UPDATE audit_events SET flow = x'00112233445566778899aabbccddeeff' WHERE sequence = 5",
        "UPDATE audit_events SET flow = 'text' WHERE sequence = 5",
        "UPDATE audit_events SET actor = 'somebody' WHERE sequence = 5",
        "UPDATE audit_events SET actor = '!' WHERE sequence = 5",
        "UPDATE audit_events SET token_id = '' WHERE sequence = 5",
        "UPDATE audit_events SET remote_address = '203.0.113.1' WHERE sequence = 5",
        "UPDATE audit_events SET code = 'x' WHERE sequence = 5",
        "UPDATE audit_events SET reason = 'x' WHERE sequence = 5",
        "UPDATE audit_events SET request_id = 'x' WHERE sequence = 5",
        "UPDATE audit_events SET code = remote_address, remote_address = NULL WHERE sequence = 5",
        "UPDATE audit_events SET digest = zeroblob(32) WHERE sequence = 5",
        "UPDATE audit_events SET digest = 7 WHERE sequence = 5",
        "UPDATE audit_events SET sequence = 50 WHERE sequence = 5",
        "DELETE FROM audit_events WHERE sequence = 5",
    ])
    func `an altered event is found`(_ tampering: String) async throws {
        #expect(try await broken(by: tampering) == 5)
    }

    @Test(arguments: [
        "DELETE FROM audit_events WHERE sequence = 1",
        "DELETE FROM audit_events WHERE sequence = 10",
        "DELETE FROM audit_events",
        "UPDATE audit_trail SET last = 9",
        "DELETE FROM audit_events WHERE sequence = 10; UPDATE audit_trail SET last = 9, last_digest = (SELECT digest FROM audit_events WHERE sequence = 9)",
        "DELETE FROM audit_events WHERE sequence = 1; UPDATE audit_trail SET start = 1, start_digest = last_digest",
        "UPDATE audit_trail SET start_proof = last_proof, start = last, start_digest = last_digest; DELETE FROM audit_events",
        "UPDATE audit_trail SET last_proof = zeroblob(32)",
        "UPDATE audit_trail SET last = 'x'",
        "INSERT INTO audit_events SELECT 11, time, type, tenant, source_type, flow, actor, token_id, remote_address, code, reason, digest, request_id FROM audit_events WHERE sequence = 10",
        "UPDATE audit_trail SET sealed_key = zeroblob(80)",
        "DELETE FROM audit_trail",
    ])
    func `a trail that was cut, grown or given another head is found`(_ tampering: String) async throws {
        #expect(try await broken(by: tampering) != nil)
    }

    @Test func `two events that change places are found`() async throws {
        let tampering = """
            UPDATE audit_events SET sequence = -1 WHERE sequence = 5;
            UPDATE audit_events SET sequence = 5 WHERE sequence = 6;
            UPDATE audit_events SET sequence = 6 WHERE sequence = -1;
            """
        #expect(try await broken(by: tampering) == 5)
    }

    @Test func `a master key that the database was not made with is told at the start`() async throws {
        await store.close()
        #expect(throws: OpeningError.masterKeyMissing(path: folder.database, id: KeyRing.KeyID("k1"))) {
            try SQLiteStore(path: folder.database, keyRing: try KeyRing(Installation.secondKey))
        }
        let another = KeyRing.newLine(id: try #require(KeyRing.KeyID("k1")))
        #expect(throws: OpeningError.masterKeyMissing(path: folder.database, id: nil)) {
            try SQLiteStore(path: folder.database, keyRing: try KeyRing(another))
        }
    }

    /// The first event that does not fit after somebody wrote to the file.
    private func broken(by tampering: String) async throws -> Int64? {
        for number in 0..<10 {
            try await store.record(
                Event(
                    .flowStarted, at: Samples.now.adding(seconds: Int64(number)),
                    by: Requester(remoteAddress: "192.0.2.\(number)"), tenant: Samples.tenant("t\(number)")))
        }
        try #require(try verified() == .sound(events: 10, first: 1, last: 10))
        try await DatabaseQueue(path: folder.database).write { try $0.execute(sql: tampering) }
        // What is listed must not trip over it either.
        _ = try await store.events(EventFilter(), before: nil, limit: 100)
        guard case .broken(let sequence, _) = try verified() else { return nil }
        return sequence
    }

    private func verified() throws -> AuditVerification {
        try SQLiteStore.verifyAuditTrail(path: folder.database, keyRing: try KeyRing(Installation.firstKey))
    }
}
