import Foundation
import GRDB
import Secrets
import StoreParts

/// The end of an audit trail, as the one row of `audit_trail` has it with its proof. Without it, events could be cut
/// off.
struct AuditHead: Equatable {
    var link: AuditTrail.Link
    /// The last event's. In the head, since the last event may be forgotten.
    var time: Int64
    /// From this event on, none has an earlier time than the one before it.
    var orderedFrom: Int64
    var proof: [UInt8] = []

    /// The one row of `audit_trail`, as far as a transaction looks at it.
    private enum Column: Int32, Columns {
        case last, lastDigest, lastTime, orderedFrom, lastProof
        case start, startDigest, startProof
        case brokenAt, finding
    }

    private struct Row {
        let head: AuditHead
        let start: AuditTrail.Link
        let startProof: [UInt8]
        /// The reason, where a broker found the trail broken.
        let breach: Breach?

        init(_ row: SQLRow) {
            head = AuditHead(
                link: AuditTrail.Link(sequence: row.integer(Column.last), digest: row.blob(Column.lastDigest)),
                time: row.integer(Column.lastTime), orderedFrom: row.integer(Column.orderedFrom),
                proof: row.blob(Column.lastProof))
            start = AuditTrail.Link(sequence: row.integer(Column.start), digest: row.blob(Column.startDigest))
            startProof = row.blob(Column.startProof)
            breach =
                row.isNull(Column.brokenAt)
                ? nil : Breach(sequence: row.integer(Column.brokenAt), finding: row.text(Column.finding))
        }
    }

    private enum Newest: Int32, Columns {
        case sequence, digest
    }

    private static let selectHead = "SELECT \(Column.list) FROM audit_trail"
    private static let selectNewest = "SELECT \(Newest.list) FROM audit_events ORDER BY sequence DESC LIMIT 1"

    /// Of version 4 or before, which knew neither time nor order.
    var isOld: Bool { time < 0 }

    private func makeProof(_ key: SecretBytes) -> [UInt8] {
        let text = isOld ? "last \(link.sequence) " : "end \(link.sequence) \(time) \(orderedFrom) "
        return HMACSHA256.code(of: Array(text.utf8) + link.digest, key: key)
    }

    func isProven(_ key: SecretBytes) -> Bool { constantTimeEqual(makeProof(key), proof) }

    /// Keeps it, with a new proof.
    mutating func write(_ db: Database, _ key: SecretBytes) throws {
        proof = makeProof(key)
        try db.run(
            "UPDATE OR FAIL audit_trail SET last = ?, last_digest = ?, last_time = ?, ordered_from = ?, last_proof = ?",
            .integer(link.sequence), .blob(link.digest), .integer(time), .integer(orderedFrom), .blob(proof))
    }

    /// The start of the chain: the last event that was forgotten. `nil` where its proof is not right.
    static func start(_ db: Database, _ key: SecretBytes) throws -> AuditTrail.Link? {
        guard let row = try db.first(selectHead, read: Row.init),
            constantTimeEqual(proof(ofStart: row.start, key), row.startProof)
        else { return nil }
        return row.start
    }

    static func proof(ofStart link: AuditTrail.Link, _ key: SecretBytes) -> [UInt8] {
        HMACSHA256.code(of: Array("start \(link.sequence) ".utf8) + link.digest, key: key)
    }

    /// The head, proven, with the event that it names at the end of the table. Throws a `Breach`.
    ///
    /// - Parameters:
    ///   - known: where this process knows the chain to have been: it cannot have become shorter since.
    ///   - allowsOld: takes a head of version 4 or before too. Only for opening the database.
    static func examine(
        _ db: Database, _ key: SecretBytes, after known: AuditHead?, allowsOld: Bool = false
    ) throws -> AuditHead {
        guard let found = try db.first(selectHead, read: Row.init) else {
            throw Breach(sequence: 0, finding: "the trail's head is gone")
        }
        if let breach = found.breach { throw breach }
        let (head, start) = (found.head, found.start)
        let last = head.link.sequence
        // What this process wrote itself need not be proven to it again.
        guard head == known || (head.isProven(key) && (allowsOld || !head.isOld)) else {
            throw Breach(sequence: last, finding: "the trail's head was altered")
        }
        // What lies before the start need not be there: a start without a proof would excuse any gap.
        guard constantTimeEqual(proof(ofStart: start, key), found.startProof) else {
            throw Breach(sequence: start.sequence &+ 1, finding: "events before this one were removed")
        }
        let newest = try db.first(selectNewest) {
            AuditTrail.Link(sequence: $0.integer(Newest.sequence), digest: $0.blob(Newest.digest))
        }
        guard newest == head.link || (newest == nil && start == head.link) else {
            let sequence = newest?.sequence ?? start.sequence
            throw sequence > last
                ? Breach(sequence: last &+ 1, finding: "events from this one on were added")
                : Breach(sequence: sequence &+ 1, finding: "events from this one on were removed")
        }
        if let known, known != head { try head.follows(known, from: start.sequence, in: db) }
        return head
    }

    /// Throws unless this head follows the known one. Other brokers may have added events, and forgotten old ones; the
    /// chain must not have become shorter.
    private func follows(_ known: AuditHead, from start: Int64, in db: Database) throws {
        guard link.sequence >= known.link.sequence else {
            throw Breach(sequence: link.sequence &+ 1, finding: "events from this one on were removed")
        }
        guard known.link.sequence > start else { return }
        let digest = try db.first(
            "SELECT digest FROM audit_events WHERE sequence = ?", .integer(known.link.sequence)
        ) { $0.blob(0) }
        guard digest == known.link.digest else {
            throw Breach(sequence: known.link.sequence, finding: "the event is another one")
        }
    }
}
