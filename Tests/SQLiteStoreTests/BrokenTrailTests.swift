import Broker
import Formats
import Foundation
import GRDB
import Secrets
import StoreParts
import Testing

@testable import SQLiteStore

/// Somebody who can write the file, but not open the master key, does not get a cut or altered trail proven by the
/// broker.
@Suite struct BrokenTrailTests {
    private let folder: TemporaryFolder
    private let store: SQLiteStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.database)
    }

    /// Each leaves something that looks whole at its ends; `saved` holds the trail as it was after five events.
    private static let tamperings = [
        "DELETE FROM audit_events WHERE sequence > 7; UPDATE audit_trail SET last = 7, last_digest = (SELECT digest FROM audit_events WHERE sequence = 7)",
        "DELETE FROM audit_events WHERE sequence > 7",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events; UPDATE audit_trail SET start = last, start_digest = last_digest",
        "DELETE FROM audit_events; DELETE FROM audit_trail",
        "UPDATE audit_events SET time = 0 WHERE sequence = 1",
        "UPDATE audit_events SET code = 'x' WHERE sequence = 1",
        "DELETE FROM audit_events WHERE sequence = 1",
        "DELETE FROM audit_events WHERE sequence = 2",
        "DELETE FROM audit_events WHERE sequence <= 2; UPDATE audit_trail SET start = 2, start_digest = (SELECT digest FROM audit_events WHERE sequence = 3)",
        "UPDATE audit_trail SET last = 9223372036854775807",
        "UPDATE audit_trail SET start = 9223372036854775807",
        "UPDATE audit_events SET sequence = 9223372036854775807 WHERE sequence = 10",
        "UPDATE audit_trail SET last_time = 0",
        "UPDATE audit_trail SET last_time = -1",
        "UPDATE audit_trail SET ordered_from = 1000",
        "INSERT INTO audit_events SELECT 11, time, type, tenant, source_type, flow, actor, token_id, remote_address, code, reason, digest, request_id FROM audit_events WHERE sequence = 10; UPDATE audit_trail SET last = 11",
    ]

    @Test(arguments: tamperings)
    func `a trail that was altered beside a broker never becomes whole by what it does`(_ tampering: String)
        async throws
    {
        try await fill(10)
        try await write(tampering)
        let left = try rows(upTo: 10)
        try await goOn(store)
        #expect(try isBroken())
        #expect(try rows(upTo: 10) == left)
    }

    @Test(arguments: tamperings)
    func `nor by what it does after a restart`(_ tampering: String) async throws {
        try await store.start(try Samples.flow())
        try await fill(9)
        await store.close()
        try await write(tampering)
        let left = try rows(upTo: 10)
        let again = try SQLiteStore(path: folder.database)
        try await goOn(again)
        await again.close()
        #expect(try isBroken())
        #expect(try rows(upTo: 10) == left)
    }

    @Test(arguments: [5, 10])
    func `the trail of before is no trail for a broker that runs`(_ kept: Int) async throws {
        try await fill(kept)
        try await write(
            "CREATE TABLE saved_events AS SELECT * FROM audit_events; CREATE TABLE saved AS SELECT * FROM audit_trail")
        let other = try SQLiteStore(path: folder.database)
        try await fill(10)
        try await goOn(other)
        try await write(
            """
            DELETE FROM audit_events; INSERT INTO audit_events SELECT * FROM saved_events;
            DELETE FROM audit_trail; INSERT INTO audit_trail SELECT * FROM saved;
            """)
        // By itself it is whole: nothing inside the file could tell.
        #expect(try !isBroken())
        try await fill(1)
        #expect(try isBroken())
        try await goOn(other)
        #expect(try rows() == kept)
    }

    /// Events before the start may be missing: a start that was moved would excuse what was cut.
    @Test func `a start that nobody proved excuses nothing`() async throws {
        try await fill(5)
        try await write("CREATE TABLE saved AS SELECT * FROM audit_trail")
        try await fill(3)
        try await write(
            """
            DELETE FROM audit_events WHERE sequence > 5;
            UPDATE audit_trail SET (last, last_digest, last_time, ordered_from, last_proof)
                = (SELECT last, last_digest, last_time, ordered_from, last_proof FROM saved);
            """)
        // It has never seen what was cut, and goes past it.
        let other = try SQLiteStore(path: folder.database)
        for _ in 0..<4 { try await other.record(Event(.clientChanged, at: Samples.now)) }
        try await write("UPDATE audit_trail SET start = 8")
        try await store.record(Event(.clientChanged, at: Samples.now))
        try await write("UPDATE audit_trail SET start = 0")
        try await goOn(store)
        try await goOn(other)
        #expect(try isBroken())
    }

    @Test func `what was missing for a while is not taken for whole when it is back`() async throws {
        try await fill(10)
        try await write("CREATE TABLE saved AS SELECT * FROM audit_events WHERE sequence = 10")
        try await write("DELETE FROM audit_events WHERE sequence = 10")
        try await store.record(Event(.clientChanged, at: Samples.now))
        try await write("INSERT INTO audit_events SELECT * FROM saved")
        try await goOn(store)
        #expect(try isBroken())
        await store.close()
        let again = try SQLiteStore(path: folder.database)
        try await goOn(again)
        #expect(try isBroken())
    }

    @Test func `flows go on beside a broken trail, and the alarm is given once`() async throws {
        let told = Told()
        store.observe { told.keep($0) }
        try await fill(10)
        try await write("DELETE FROM audit_events WHERE sequence = 10")
        let key = CredentialKey.random()
        try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key).name == "redeemed")
        #expect(told.breaches == ["10 events from this one on were removed"])
    }

    @Test func `brokers on one file each find out, and the first to find it tells the others`() async throws {
        let other = try SQLiteStore(path: folder.database)
        try await fill(10)
        try await other.record(Event(.clientChanged, at: Samples.now))
        try await write("DELETE FROM audit_events WHERE sequence > 9")
        try await goOn(store)
        try await goOn(other)
        #expect(try isBroken())
        #expect(try rows() == 9)
    }

    @Test func `a sweep does not forget what does not fit`() async throws {
        try await fill(10)
        try await write("UPDATE audit_events SET time = 0 WHERE sequence = 1")
        _ = try await store.sweep(at: Samples.now, eventsSince: Timestamp(milliseconds: 1000), limit: 100)
        #expect(try rows() == 10)
        #expect(try isBroken())
    }

    /// A commit adds its events on expired flows before it looks at old events.
    @Test func `what a commit added before it met a breach is in its place in the trail`() async throws {
        try await store.start(try Samples.flow())
        try await fill(9)
        try await write("UPDATE audit_events SET time = 0 WHERE sequence = 1")
        let swept = try await store.sweep(
            at: Samples.now.adding(seconds: 900), eventsSince: Timestamp(milliseconds: 1000), limit: 100)
        #expect(swept.events.map(\.kind) == [.flowFailed])
        #expect(try isBroken())
        let (last, newest) = try await DatabaseQueue(path: folder.database).read { db in
            (
                try Int.fetchOne(db, sql: "SELECT last FROM audit_trail"),
                try Int.fetchOne(db, sql: "SELECT max(sequence) FROM audit_events")
            )
        }
        #expect(last == newest)
    }

    // MARK: version 4

    @Test func `a trail of version 4 is taken over when it is opened, and at no other time`() async throws {
        try await fill(3)
        await store.close()
        try await makeOld()
        #expect(try !isBroken())
        let again = try SQLiteStore(path: folder.database)
        try await goOn(again)
        #expect(try !isBroken())
        try await makeOld()
        try await again.record(Event(.clientChanged, at: Samples.now))
        #expect(try isBroken())
    }

    @Test func `a trail of version 4 that was cut is not taken over`() async throws {
        try await fill(3)
        await store.close()
        try await makeOld()
        try await write("DELETE FROM audit_events WHERE sequence = 3")
        let again = try SQLiteStore(path: folder.database)
        try await goOn(again)
        #expect(try isBroken())
        #expect(try rows() == 2)
    }

    /// Gives the head the form of version 4.
    private func makeOld() async throws {
        let ring = try KeyRing(Installation.firstKey)
        try await DatabaseQueue(path: folder.database).write { db in
            let sealed = try #require(try Data.fetchOne(db, sql: "SELECT sealed_key FROM audit_trail"))
            let key = try AuditKey.open(Array(sealed), ring)
            let row = try #require(try Row.fetchOne(db, sql: "SELECT last, last_digest FROM audit_trail"))
            let link = AuditTrail.Link(sequence: row[0], digest: Array(row[1] as Data))
            var head = AuditHead(link: link, time: -1, orderedFrom: 0)
            try head.write(db, key)
        }
    }

    // MARK: a new trail

    @Test func `an operator sets a broken trail aside and begins a new one`() async throws {
        try await fill(10)
        try await write("DELETE FROM audit_events WHERE sequence = 10")
        try await goOn(store)
        await store.close()
        let evidence = try SQLiteStore.resetAuditTrail(
            of: IdleDatabase(path: folder.database), keyRing: KeyRing(Installation.firstKey), reason: "found on Monday",
            at: Samples.now)
        #expect(try isBroken(evidence))
        #expect(try rows(evidence) == 9)
        #expect(try !isBroken())
        let again = try SQLiteStore(path: folder.database)
        try await again.record(Event(.clientChanged, at: Samples.now))
        let events = try await again.events(EventFilter(), before: nil, limit: 10).events
        #expect(events.map(\.event.kind) == [.clientChanged, .auditBroken])
        #expect(events.map(\.sequence) == [12, 11])
        #expect(events.last?.event.detail == "found on Monday")
        #expect(try !isBroken())
        // Nothing of the old one fits into the new one.
        await again.close()
        try await write(
            "DELETE FROM audit_events; ATTACH '\(evidence)' AS old; INSERT INTO audit_events SELECT * FROM old.audit_events"
        )
        #expect(try isBroken())
    }

    @Test func `a trail whose key is gone can be set aside too`() async throws {
        try await fill(3)
        await store.close()
        try await write("UPDATE audit_trail SET sealed_key = zeroblob(80)")
        #expect(throws: OpeningError.self) { try SQLiteStore(path: folder.database) }
        _ = try SQLiteStore.resetAuditTrail(
            of: IdleDatabase(path: folder.database), keyRing: KeyRing(Installation.firstKey), reason: "r",
            at: Samples.now)
        #expect(try !isBroken())
        try await (try SQLiteStore(path: folder.database)).start(try Samples.flow())
        #expect(try !isBroken())
    }

    // MARK: steps

    private func fill(_ count: Int) async throws {
        for number in 0..<count {
            try await store.record(Event(.clientChanged, at: Samples.now.adding(seconds: Int64(number))))
        }
    }

    /// All that a broker does with its trail: it adds to it and forgets what is old.
    private func goOn(_ store: SQLiteStore) async throws {
        try await store.record(Event(.clientChanged, at: Samples.now.adding(seconds: 20)))
        try await store.start(try Samples.flow())
        _ = try await store.sweep(at: Samples.now, eventsSince: Samples.now.adding(seconds: -1), limit: 100)
        _ = try await store.sweep(at: Samples.now, eventsSince: Samples.now.adding(seconds: 15), limit: 3)
        _ = try await store.sweep(at: Samples.now, eventsSince: Samples.now.adding(seconds: 15), limit: 100)
        try await store.record(Event(.clientChanged, at: Samples.now.adding(seconds: 20)))
    }

    private func write(_ sql: String) async throws {
        let queue = try DatabaseQueue(path: folder.database)
        try await queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    private func rows(_ path: String? = nil, upTo sequence: Int64 = .max) throws -> Int {
        try DatabaseQueue(path: path ?? folder.database).read { db in
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM audit_events WHERE sequence <= ?", arguments: [sequence]) ?? -1
        }
    }

    private func isBroken(_ path: String? = nil) throws -> Bool {
        let ring = try KeyRing(Installation.firstKey)
        switch try SQLiteStore.verifyAuditTrail(path: path ?? folder.database, keyRing: ring) {
        case .sound: return false
        case .broken: return true
        }
    }
}

/// Keeps the alarms that an observer is told.
///
/// `@unchecked Sendable`: `lock` guards `kept`.
private final class Told: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: [String] = []

    var breaches: [String] { lock.withLock { kept } }

    func keep(_ event: WriterEvent) {
        if case .trailBroken(let sequence, let finding) = event {
            lock.withLock { kept.append("\(sequence) \(finding)") }
        }
    }
}
