import Broker
import Catalog
import Formats
import Foundation
import GRDB
import Secrets
import StoreParts

/// The audit trail: events in the order of their commits, each with a proof over itself and the one before.
///
/// The proofs are HMACs under a key of this database, sealed under the master key: whoever can write the file but not
/// open that key can neither alter, add nor remove an event unseen. Nor may the broker be made to do it: each
/// transaction looks at the end of the chain before it adds to it, and at what it forgets before that is gone. Where
/// something does not fit, the trail stays as it is from then on, as evidence; flows go on, and the log has their
/// events.
///
/// Not `Sendable`: it goes with the writing connection.
final class AuditTrail {
    private let key: SecretBytes
    /// The end of the chain, once this transaction has looked at it.
    private var head: AuditHead?
    private var hasGrown = false
    /// The end of the chain after the last transaction: a chain that ends before it is broken.
    private var known: AuditHead?
    /// The reason not to extend the chain any more. Stays, even if the file is whole again: events are missing in it
    /// then.
    private(set) var breach: Breach?
    private var isMarked = false

    /// A place in the chain.
    struct Link: Equatable {
        var sequence: Int64
        var digest: [UInt8]

        static let start = Link(sequence: 0, digest: [UInt8](repeating: 0, count: 32))
    }

    init(key: SecretBytes) {
        self.key = key
    }

    /// Looks at a trail that is there, and brings one of version 4 or before up to date.
    func open(_ db: Database) throws {
        do {
            var found = try AuditHead.examine(db, key, after: nil, allowsOld: true)
            if found.isOld {
                found.time = 0
                found.orderedFrom = found.link.sequence &+ 1
                try found.write(db, key)
            }
            known = found
        } catch let found as Breach {
            breach = found
            try finish(db)
            isMarked = true
        }
    }

    /// A transaction begins: other processes may have added events.
    func begin() {
        head = nil
        hasGrown = false
    }

    /// The time by which an event may be earlier than the one before it without a remark, and in an old database stand
    /// behind a later one: calls wait for their commit.
    static let disorderMilliseconds: Int64 = 60_000

    /// Adds an event to the running transaction, unless the trail is broken.
    ///
    /// Its time is at least its predecessor's: time never runs backwards in the chain, whatever a clock does. By how
    /// much it was off is in the event then, under its proof.
    func append(_ event: Event, to db: Database) throws {
        guard var last = try end(of: db) else { return }
        var row = AuditRow(event)
        if row.time < last.time {
            if last.time - row.time > Self.disorderMilliseconds {
                row.detail = (row.detail.map { $0 + "; " } ?? "") + "the clock said \(row.time)"
            }
            row.time = last.time
        }
        let sequence = last.link.sequence &+ 1
        last.link = Link(
            sequence: sequence,
            digest: HMACSHA256.code(of: row.encoded(sequence: sequence, after: last.link.digest), key: key))
        last.time = row.time
        try db.run(
            """
            INSERT OR FAIL INTO audit_events (sequence, time, type, tenant, source_type, flow, actor, token_id,
                remote_address, code, reason, request_id, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .integer(last.link.sequence), .integer(row.time), .text(row.type), .text(row.text(.tenant)),
            .text(row.text(.sourceType)), .blob(event.flow?.bytes), .text(row.text(.actor)), .text(row.text(.tokenID)),
            .text(row.text(.remoteAddress)), .text(row.text(.code)), .text(row.text(.reason)),
            .text(row.text(.requestID)), .blob(last.link.digest))
        head = last
        hasGrown = true
    }

    /// Before the commit: the end of the chain, once for all events of the transaction.
    func finish(_ db: Database) throws {
        // Also where a breach was found after that: what was added before is in its place then.
        if hasGrown {
            try head?.write(db, key)
            hasGrown = false
        }
        if let breach {
            guard !isMarked else { return }
            // For other brokers and for a restart. Whoever can write the file can remove it, but not repair the proofs.
            try db.run(
                """
                UPDATE OR FAIL audit_trail SET broken_at = coalesce(broken_at, ?), finding = coalesce(finding, ?)
                """, .integer(breach.sequence), .text(breach.finding))
        }
    }

    /// After the commit.
    func committed() {
        if breach != nil { isMarked = true } else if let head { known = head }
        head = nil
    }

    /// Deletes the oldest events from before `time`, after a look at each. `true`: some may be left.
    func forget(before time: Timestamp, limit: Int, in db: Database) throws -> Bool {
        guard let end = try end(of: db) else { return false }
        do throws(any Error) {
            guard let start = try AuditHead.start(db, key) else {
                throw Breach(sequence: end.link.sequence, finding: "events before the first one were removed")
            }
            let old = try Row.fetchAll(
                db.cachedStatement(sql: "SELECT \(AuditRow.Column.list) FROM audit_events ORDER BY sequence LIMIT ?"),
                arguments: [limit])
            var walk = AuditWalk(key: key, orderedFrom: end.orderedFrom, from: start)
            var last = start
            for row in old {
                guard try walk.step(row).time < time.milliseconds else { break }
                last = walk.link
            }
            guard last != start else { return false }
            try db.run("DELETE FROM audit_events WHERE sequence <= ?", .integer(last.sequence))
            try db.run(
                "UPDATE OR FAIL audit_trail SET start = ?, start_digest = ?, start_proof = ?", .integer(last.sequence),
                .blob(last.digest), .blob(AuditHead.proof(ofStart: last, key)))
            return old.count == limit && walk.link == last
        } catch let found as Breach {
            breach = found
            return false
        }
    }

    /// The end of the chain, looked at once in each transaction; `nil` where it is broken.
    private func end(of db: Database) throws -> AuditHead? {
        if breach != nil { return nil }
        if let head { return head }
        do {
            head = try AuditHead.examine(db, key, after: known)
        } catch let found as Breach {
            breach = found
        }
        return head
    }
}
