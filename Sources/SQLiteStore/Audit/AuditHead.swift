import Foundation
import GRDB
import Secrets

/// The end of an audit trail, as the one row of `audit_trail` has it with its proof. Without it, events could be cut
/// off.
struct AuditHead: Equatable {
    var link: AuditTrail.Link
    /// The last event's. In the head, since the last event may be forgotten.
    var time: Int64
    /// From this event on, none has an earlier time than the one before it.
    var orderedFrom: Int64
    var proof: [UInt8] = []

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
        try db.first("SELECT start, start_digest, start_proof FROM audit_trail") { row in
            let link = AuditTrail.Link(sequence: row.integer(0), digest: row.blob(1))
            return constantTimeEqual(proof(ofStart: link, key), row.blob(2)) ? link : nil
        } ?? nil
    }

    static func proof(ofStart link: AuditTrail.Link, _ key: SecretBytes) -> [UInt8] {
        HMACSHA256.code(of: Array("start \(link.sequence) ".utf8) + link.digest, key: key)
    }

    /// The head, proven, with the event that it names at the end of the table. Throws a `Breach`.
    ///
    /// - Parameters:
    ///   - known: where this process knows the chain to have been: it cannot have become shorter since.
    ///   - allowsOld: takes a head of version 4 or before too, as only who opens the database may.
    static func examine(
        _ db: Database, _ key: SecretBytes, after known: AuditHead?, allowsOld: Bool = false
    ) throws -> AuditHead {
        let found = try db.first(
            """
            SELECT last, last_digest, last_time, ordered_from, last_proof, start, start_digest, start_proof, broken_at,
                finding
            FROM audit_trail
            """
        ) { row in
            (
                head: AuditHead(
                    link: AuditTrail.Link(sequence: row.integer(0), digest: row.blob(1)), time: row.integer(2),
                    orderedFrom: row.integer(3), proof: row.blob(4)),
                start: AuditTrail.Link(sequence: row.integer(5), digest: row.blob(6)), startProof: row.blob(7),
                breach: row.isNull(8) ? nil : Breach(sequence: row.integer(8), finding: row.text(9))
            )
        }
        guard let (head, start, startProof, breach) = found else {
            throw Breach(sequence: 0, finding: "the trail's head is gone")
        }
        if let breach { throw breach }
        let last = head.link.sequence
        // What this process wrote itself need not be proven to it again.
        guard head == known || (head.isProven(key) && (allowsOld || !head.isOld)) else {
            throw Breach(sequence: last, finding: "the trail's head was altered")
        }
        // What lies before the start need not be there: a start that nobody proved would excuse whatever is missing.
        guard constantTimeEqual(proof(ofStart: start, key), startProof) else {
            throw Breach(sequence: start.sequence &+ 1, finding: "events before this one were removed")
        }
        let newest = try db.first("SELECT sequence, digest FROM audit_events ORDER BY sequence DESC LIMIT 1") {
            AuditTrail.Link(sequence: $0.integer(0), digest: $0.blob(1))
        }
        guard newest == head.link || (newest == nil && start == head.link) else {
            let sequence = newest?.sequence ?? start.sequence
            throw sequence > last
                ? Breach(sequence: last &+ 1, finding: "events from this one on were added")
                : Breach(sequence: sequence &+ 1, finding: "events from this one on were removed")
        }
        if let known, known != head { try head.follows(known, start: start.sequence, db) }
        return head
    }

    /// Other brokers may have gone on from what is known, and forgotten it; nobody may have gone back.
    private func follows(_ known: AuditHead, start: Int64, _ db: Database) throws {
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
