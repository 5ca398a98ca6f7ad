import Broker
import Catalog
import Formats
import Foundation
import GRDB
import Secrets
import StoreParts
import Testing

@testable import PostgresStore
@testable import SQLiteStore

/// A file that moves to a server.
@Suite struct CopyTests {
    private let folder: TemporaryFolder
    private let database = PostgresDatabase()
    private let ring: KeyRing

    init() throws {
        folder = try TemporaryFolder()
        ring = try KeyRing(Installation.firstKey)
    }

    private struct Interrupted: Error {}

    @discardableResult
    private func copy(
        pageSize: Int = 2, to other: PostgresDatabase? = nil, step: @escaping (CopyStep) throws -> Void = { _ in }
    ) throws -> CopyReport {
        let source = try MovingDatabase(path: folder.database, keyRing: ring)
        return try PostgresStore.copy(
            source, to: (other ?? database).settings(), keyRing: ring, pageSize: pageSize, step: step)
    }

    private func fails(_ expected: CopyError, to other: PostgresDatabase? = nil) {
        #expect(throws: expected) { try copy(to: other) }
    }

    private func isServed() -> Bool { (try? SQLiteStore.inspect(path: folder.database)) != nil }

    private func verified() throws -> AuditVerification {
        try PostgresStore.verifyAuditTrail(try database.settings(), keyRing: ring)
    }

    /// What a broker leaves behind, of each kind more than a page.
    private struct Left {
        let waiting = FlowID(of: .random())
        let revoked = FlowID(of: .random())
        let exchanging = FlowID(of: .random())
        let keys = Samples.keys(5)
        let spent = Samples.keys(5)
        let destroyed = CredentialKey.random()
        let challenged = CredentialKey.random()
    }

    private static let registration = KeptRegistration(
        issuer: "https://as.example", redirectURI: "https://b.example/1", sealed: Sealed(stored: [7]),
        usedAt: Samples.now)

    private func client(_ number: Int) throws -> KeptClient {
        KeptClient(
            sourceType: try #require(SourceType.ID("type\(number)")), id: "app", secret: Sealed(stored: [1, 2]),
            scopes: ["read"], parameters: ["host": "ours.example"], changedAt: Samples.now)
    }

    private func fill() async throws -> Left {
        let left = Left()
        let store = try SQLiteStore(path: folder.database)
        let clients = Event(.clientChanged, at: Samples.now, tenant: try Samples.tenant())
        for number in 0..<5 {
            _ = try await store.setClient(client(number), of: Samples.tenant("t\(number % 2)"), recording: clients)
        }
        _ = try await store.keepRegistration(Self.registration, replacing: nil)
        for number in 0..<4 {
            _ = try await store.keepRegistration(
                KeptRegistration(
                    issuer: "https://as\(number).example", redirectURI: "https://b.example/1",
                    sealed: Sealed(stored: [1]), usedAt: Samples.now), replacing: nil)
        }
        try await store.start(try Samples.flow(id: left.revoked, tenant: "gone"))
        try await store.keep(try Samples.flow(tenant: "gone"), left.destroyed)
        let ordered = Event(.revocation, at: Samples.now, tenant: try Samples.tenant("gone"), detail: "left")
        for _ in 0..<3 {
            _ = try await store.revokeFlows(
                Selection(tenant: try Samples.tenant("gone")), at: Samples.now, recording: ordered)
        }
        for key in left.spent {
            try await store.keep(try Samples.flow(), key)
            #expect(try await store.redeem(key).name == "redeemed")
        }
        for key in left.keys { try await store.keep(try Samples.flow(), key, credentials: [1, 2, 3]) }
        try await store.keep(
            try Samples.flow(challenge: Samples.challenge("verifier")), left.challenged, isBound: true, sealedKey: [9])
        try await store.start(try Samples.flow(id: left.waiting))
        try await store.start(try Samples.flow(id: left.exchanging))
        _ = try await store.claim(left.exchanging, isBound: true, at: Samples.now)
        #expect(try await store.redeem(left.spent[0]).name == "reused")
        await store.close()
        return left
    }

    /// The target serves as the source did.
    private func expectServed(_ left: Left) async throws {
        let store = try database.open()
        #expect(try await store.clients(of: Samples.tenant("t1")).count == 2)
        let client = try await store.clients(of: Samples.tenant("t1")).first { $0.sourceType.description == "type1" }
        #expect(client?.secret?.bytes == [1, 2] && client?.parameters == ["host": "ours.example"])
        #expect(client?.scopes == ["read"] && client?.changedAt == Samples.now)
        #expect(
            try await store.registration(issuer: "https://as.example", redirectURI: "https://b.example/1")
                == Self.registration)
        for key in left.keys {
            guard case .redeemed(let opened, _) = try await store.redeem(key) else {
                Issue.record("not redeemed")
                continue
            }
            #expect(opened.expose { $0 } == [1, 2, 3])
        }
        for key in left.keys + left.spent { #expect(try await store.redeem(key).name == "reused") }
        #expect(try await store.redeem(left.destroyed, tenant: "gone").name == "refused")
        #expect(try await store.redeem(left.challenged).name == "refused")
        #expect(try await store.redeem(left.challenged, challenge: Samples.challenge("verifier")).name == "redeemed")
        #expect(try await store.claim(left.waiting, isBound: false, at: Samples.now)?.id == left.waiting)
        #expect(try await store.claim(left.revoked, isBound: false, at: Samples.now) == nil)
        let key = CredentialKey.random()
        #expect(try await store.succeed(left.exchanging, with: Samples.stored(key)))
        // A later revocation has what was begun before the move, and nothing that is begun after it.
        let revocation = try await store.revokeFlows(
            Selection(), at: Samples.now, recording: Event(.revocation, at: Samples.now, detail: "all"))
        #expect(revocation.value == 4)
        #expect(try await store.redeem(key).name == "refused")
        let late = CredentialKey.random()
        try await store.keep(try Samples.flow(), late)
        #expect(try await store.redeem(late).name == "redeemed")
        await store.close()
    }

    @Test func `all that a file has is on the server, and good there as it was here`() async throws {
        let left = try await fill()
        guard
            case .sound(let events, 1, let last) = try SQLiteStore.verifyAuditTrail(
                path: folder.database, keyRing: ring)
        else {
            Issue.record("not whole")
            return
        }
        let report = try copy()
        #expect(
            report.counts == [
                .clients: 5, .clientRegistrations: 5, .revocations: 3, .flows: 15, .credentialKeys: 7, .spentKeys: 5,
                .auditEvents: events,
            ])
        #expect(report.trail == .sound(events: events, first: 1, last: last))
        #expect(try verified() == report.trail)
        try await expectServed(left)
        guard case .sound(let more, 1, _) = try verified() else {
            Issue.record("not whole")
            return
        }
        #expect(more > events)
    }

    @Test func `each event keeps its number, its proof and its words`() async throws {
        _ = try await fill()
        let rows = try DatabaseQueue(path: folder.database).read { db in
            try Row.fetchAll(db, sql: "SELECT sequence, hex(digest) FROM audit_events ORDER BY sequence")
        }
        let proofs = rows.map { "\($0[0] as Int64)=\(($0[1] as String).lowercased())" }
        try copy()
        #expect(
            try database.value(
                "SELECT string_agg(sequence || '=' || encode(digest, 'hex'), ',' ORDER BY sequence) FROM audit_events")
                == proofs.joined(separator: ","))
        let store = try database.open()
        let events = try await store.events(EventFilter(), before: nil, limit: 1000).events
        #expect(events.map(\.sequence).min() == 1 && events.count == rows.count)
        // What comes after goes on in the same chain.
        try await store.record(Event(.clientChanged, at: Samples.now))
        #expect(
            try await store.events(EventFilter(), before: nil, limit: 1).events.first?.sequence == Int64(rows.count) + 1
        )
        await store.close()
    }

    @Test(arguments: [1, 2, 7])
    func `a copy that is interrupted anywhere goes on, and nobody serves meanwhile`(_ pageSize: Int) async throws {
        let left = try await fill()
        var rounds = 0
        while true {
            rounds += 1
            try #require(rounds < 200)
            var steps = 0
            do {
                try copy(pageSize: pageSize) { _ in
                    steps += 1
                    // Before anything, and from then on after one page and the end of a kind.
                    if steps > (rounds == 1 ? 0 : 3) { throw Interrupted() }
                }
                break
            } catch is Interrupted {
                if rounds == 1 { #expect(isServed()) }
                if rounds > 1 {
                    #expect(throws: OpeningError.moved(path: folder.database)) {
                        try SQLiteStore(path: folder.database)
                    }
                    #expect(throws: PostgresOpeningError.unfinishedCopy) { try database.open() }
                    #expect(throws: PostgresOpeningError.unfinishedCopy) {
                        try PostgresStore.inspect(database.settings())
                    }
                }
            }
        }
        #expect(rounds > 4)
        #expect(throws: OpeningError.moved(path: folder.database)) { try SQLiteStore(path: folder.database) }
        try await expectServed(left)
        // Once more: it is done, whatever brokers have done since.
        #expect(try copy().trail == nil)
        guard case .sound = try verified() else {
            Issue.record("not whole")
            return
        }
    }

    @Test func `a copy into a database that was used marks nothing`() async throws {
        _ = try await fill()
        let store = try database.open()
        await store.close()
        fails(.targetIsUsed)
        #expect(isServed())
        await (try SQLiteStore(path: folder.database)).close()
    }

    @Test func `what was moved moves nowhere else`() async throws {
        _ = try await fill()
        let other = PostgresDatabase()
        try copy()
        fails(.movedElsewhere, to: other)
        #expect(try other.value("SELECT count(*) FROM audit_chains") == "0")
    }

    @Test func `what was begun at one server goes on at no other`() async throws {
        _ = try await fill()
        let other = PostgresDatabase()
        var steps = 0
        #expect(throws: Interrupted.self) {
            try copy { _ in
                steps += 1
                if steps == 4 { throw Interrupted() }
            }
        }
        fails(.movedElsewhere, to: other)
        try copy()
    }

    @Test func `a mark without anything at a server is made anew, and what comes late under the old one is refused`()
        async throws
    {
        _ = try await fill()
        let first = try MovingDatabase(path: folder.database, keyRing: ring).markAsMoved()
        let late = PostgresDatabase()
        do {
            // Killed before the source was told that it had begun.
            let source = try MovingDatabase(path: folder.database, keyRing: ring)
            try CopyTarget(try late.settings(), ring).begin(first.id, source.facts)
        }
        try copy()
        fails(.movedElsewhere, to: late)
    }

    @Test func `a broker has the file, and a copy the server, for itself`() async throws {
        _ = try await fill()
        let store = try SQLiteStore(path: folder.database)
        #expect(throws: OpeningError.inUse(path: folder.database)) { try copy() }
        await store.close()
        let target = try CopyTarget(try database.settings(), ring)
        fails(.targetIsBusy)
        withExtendedLifetime(target) {}
        #expect(isServed())
    }

    @Test func `a file whose trail is broken stays, and is served`() async throws {
        _ = try await fill()
        try await DatabaseQueue(path: folder.database).write { db in
            try db.execute(sql: "UPDATE audit_events SET tenant = 'evil' WHERE sequence = 3")
        }
        fails(.broken(sequence: 3, finding: "the event was altered"))
        #expect(isServed())
    }

    @Test func `a row of another form is told by its kind`() async throws {
        _ = try await fill()
        try await DatabaseQueue(path: folder.database).write { db in
            try db.execute(sql: "UPDATE clients SET sealed_secret = 'text' WHERE source_type = 'type3'")
        }
        fails(.malformedRow(.clients))
    }

    @Test func `a server on which a row is missing or too many takes no broker`() async throws {
        _ = try await fill()
        for sql in ["DELETE FROM revocations WHERE id = 2", "UPDATE audit_events SET code = 'x' WHERE sequence = 2"] {
            let other = PostgresDatabase()
            let copied = TemporaryCopy(of: folder.database)
            defer { copied.remove() }
            let source = try MovingDatabase(path: copied.path, keyRing: ring)
            #expect(throws: CopyError.self) {
                try PostgresStore.copy(source, to: other.settings(), keyRing: ring) { step in
                    if step == .comparing { _ = try other.value("WITH x AS (\(sql) RETURNING 1) SELECT 1") }
                }
            }
            #expect(throws: PostgresOpeningError.unfinishedCopy) { try other.open() }
        }
    }

    // MARK: what PostgreSQL is not told by SQLite

    @Test func `a text with a NUL is kept as the server can, and proven`() async throws {
        let store = try SQLiteStore(path: folder.database)
        try await store.record(Event(.clientChanged, at: Samples.now))
        try await store.record(Event(.clientChanged, at: Samples.now, by: Requester(subject: "a\0b")))
        try await store.record(Event(.clientChanged, at: Samples.now))
        await store.close()
        #expect(try copy().trail == .sound(events: 3, first: 1, last: 3))
        #expect(try database.value("SELECT actor FROM audit_events WHERE sequence = 2") == "a\u{FFFD}b")
    }

    @Test func `a trail of version 4, whose times ran backwards, is proven, and its old events are forgotten`()
        async throws
    {
        try FourthDatabase.make(folder.database, times: [20, 10, 30], ring)
        #expect(try copy().trail == .sound(events: 3, first: 1, last: 3))
        let store = try database.open()
        try await store.record(Event(.clientChanged, at: Timestamp(milliseconds: 40)))
        _ = try await store.sweep(
            at: Samples.now, eventsSince: Timestamp(milliseconds: 25), limit: 100)
        try await store.record(Event(.clientChanged, at: Timestamp(milliseconds: 50)))
        await store.close()
        #expect(try verified() == .sound(events: 3, first: 3, last: 5))
        // The excuse is under the proof.
        _ = try database.value("WITH x AS (UPDATE audit_chains SET ordered_from = 5 RETURNING 1) SELECT 1")
        guard case .broken = try verified() else {
            Issue.record("not found")
            return
        }
    }

    @Test func `a trail that begins later, and one without events, are proven`() async throws {
        let store = try SQLiteStore(path: folder.database)
        for _ in 0..<5 { try await store.record(Event(.clientChanged, at: Samples.now)) }
        _ = try await store.sweep(at: Samples.now, eventsSince: Samples.now.adding(seconds: 1), limit: 3)
        try await store.record(Event(.clientChanged, at: Samples.now))
        await store.close()
        let empty = TemporaryCopy(of: folder.database)
        defer { empty.remove() }
        #expect(try copy().trail == .sound(events: 3, first: 4, last: 6))

        let emptied = try SQLiteStore(path: empty.path)
        _ = try await emptied.sweep(at: Samples.now, eventsSince: Samples.now.adding(seconds: 1), limit: 100)
        await emptied.close()
        let other = PostgresDatabase()
        let source = try MovingDatabase(path: empty.path, keyRing: ring)
        #expect(try PostgresStore.copy(source, to: other.settings(), keyRing: ring).counts[.auditEvents] == 0)
        let moved = try other.open()
        try await moved.record(Event(.clientChanged, at: Samples.now))
        #expect(try await moved.events(EventFilter(), before: nil, limit: 9).events.map(\.sequence) == [7])
        await moved.close()
    }

    // MARK: the mark

    @Test func `a mark that is in the log alone holds`() async throws {
        await (try SQLiteStore(path: folder.database)).close()
        let queue = try DatabaseQueue(path: folder.database)
        try await queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
        }
        try await queue.write { try MoveMark.set($0, [1, 2, 3]) }
        // As a process leaves it that was killed.
        let killed = TemporaryCopy(of: folder.database)
        defer { killed.remove() }
        #expect(throws: OpeningError.moved(path: killed.path)) { try SQLiteStore.inspect(path: killed.path) }
        #expect(throws: OpeningError.moved(path: killed.path)) { try SQLiteStore(path: killed.path) }
        #expect(throws: OpeningError.moved(path: killed.path)) { try StoreFile.open(killed.path, ring) }
        #expect(try MovingDatabase(path: killed.path, keyRing: ring).mark == CopyMark(id: [1, 2, 3], hasBegun: false))
        try queue.close()
    }

    @Test func `a file that is served again gives out nothing of before`() async throws {
        let left = try await fill()
        try copy()
        let count = try SQLiteStore.reopen(
            IdleDatabase(path: folder.database), keyRing: ring,
            recording: Event(.revocation, at: Samples.now, by: Requester(subject: "ops"), detail: "the move failed"))
        #expect(count == 7)
        let store = try SQLiteStore(path: folder.database)
        for key in left.keys { #expect(try await store.redeem(key).name == "refused") }
        for key in left.spent { #expect(try await store.redeem(key).name == "reused") }
        #expect(try await store.claim(left.waiting, isBound: false, at: Samples.now) == nil)
        #expect(try await store.succeed(left.exchanging, with: Samples.stored(.random())) == false)
        #expect(try await store.clients(of: Samples.tenant("t1")).count == 2)
        let key = CredentialKey.random()
        try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key).name == "redeemed")
        let events = try await store.events(EventFilter(), before: nil, limit: 100).events
        #expect(events.contains { $0.event.detail == "the move failed" && $0.event.requester.subject == "ops" })
        await store.close()
        guard case .sound = try SQLiteStore.verifyAuditTrail(path: folder.database, keyRing: ring) else {
            Issue.record("not whole")
            return
        }
        // It moves as any other does, but not to where it was before.
        fails(.targetIsUsed)
        #expect(isServed())
        try copy(to: PostgresDatabase())
    }
}

/// A database's files as they are at a moment, elsewhere.
private struct TemporaryCopy {
    let folder = NSTemporaryDirectory() + "cloakroom-copy-" + UUID().uuidString
    var path: String { folder + "/cloakroom.db" }

    init(of path: String) {
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for suffix in ["", "-wal"] {
            try? FileManager.default.copyItem(atPath: path + suffix, toPath: self.path + suffix)
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }
}
