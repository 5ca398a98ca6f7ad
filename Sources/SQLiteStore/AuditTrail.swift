import Broker
import Foundation
import GRDB
import Secrets

/// The audit trail: events in the order of their commits, each with a proof over itself and the one before.
///
/// The proofs are HMACs under a key of this database, sealed under the master key: who can write the file but not open
/// that key can neither alter, add nor remove an event unseen.
///
/// `@unchecked Sendable`: used by the writer's thread alone.
final class AuditTrail: @unchecked Sendable {
    private let key: SecretBytes
    /// The last event, once this transaction has added one.
    private var head: Link?

    /// A place in the chain.
    struct Link: Equatable {
        var sequence: Int64
        var digest: [UInt8]

        static let start = Link(sequence: 0, digest: [UInt8](repeating: 0, count: 32))
    }

    init(key: SecretBytes) {
        self.key = key
    }

    /// A transaction begins: other processes may have added events.
    func begin() { head = nil }

    /// Adds an event to the running transaction.
    func append(_ event: Event, _ db: Database) throws {
        let last = try head ?? readHead(db)
        let next = Link(
            sequence: last.sequence + 1,
            digest: HMACSHA256.code(
                of: AuditRow(event).encoded(sequence: last.sequence + 1, after: last.digest), key: key))
        try db.run(
            """
            INSERT OR FAIL INTO audit_events (sequence, time, type, tenant, source_type, flow, actor, token_id,
                remote_address, code, reason, request_id, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .integer(next.sequence), .integer(event.time.milliseconds), .text(event.kind.rawValue),
            .text(event.tenant?.description), .text(event.sourceType?.description), .blob(event.flow?.bytes),
            .text(event.requester.subject), .text(event.requester.tokenID), .text(event.requester.remoteAddress),
            .text(event.code), .text(event.detail), .text(event.requester.requestID), .blob(next.digest))
        head = next
    }

    /// Before the commit: the end of the chain, once for all events of the transaction.
    func finish(_ db: Database) throws {
        guard let head else { return }
        try db.run(
            "UPDATE OR FAIL audit_trail SET last = ?, last_digest = ?, last_proof = ?", .integer(head.sequence),
            .blob(head.digest), .blob(proof(of: head, as: .last)))
        self.head = nil
    }

    /// Deletes the oldest events from before `time`. Whether some may be left.
    func forget(before time: Timestamp, limit: Int, _ db: Database) throws -> Bool {
        let old = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT sequence, time, digest FROM audit_events ORDER BY sequence LIMIT ?"),
            arguments: [limit])
        guard let last = old.prefix(while: { ($0[1] as Int64) < time.milliseconds }).last else { return false }
        let start = Link(sequence: last[0], digest: Array(last[2] as Data))
        try db.run("DELETE FROM audit_events WHERE sequence <= ?", .integer(start.sequence))
        try db.run(
            "UPDATE OR FAIL audit_trail SET start = ?, start_digest = ?, start_proof = ?", .integer(start.sequence),
            .blob(start.digest), .blob(proof(of: start, as: .start)))
        return old.count == limit
    }

    private func readHead(_ db: Database) throws -> Link {
        try db.first("SELECT last, last_digest FROM audit_trail") {
            Link(sequence: $0.integer(0), digest: $0.blob(1))
        } ?? .start
    }

    /// Which end of the chain a proof is for.
    enum End: String {
        case start
        case last
    }

    /// Without these, events could be cut off at either end.
    func proof(of link: Link, as end: End) -> [UInt8] {
        HMACSHA256.code(of: Array("\(end.rawValue) \(link.sequence) ".utf8) + link.digest, key: key)
    }
}

/// An event as a row of the trail, and back. Reads whatever a row holds: the file may have been altered.
struct AuditRow {
    static let columns =
        """
        sequence, time, type, tenant, source_type, flow, actor, token_id, remote_address, code, reason, request_id, \
        digest
        """

    let time: Int64
    let type: String
    /// In the order of their columns, from `tenant` to `request_id`.
    let parts: [[UInt8]?]

    init(_ event: Event) {
        time = event.time.milliseconds
        type = event.kind.rawValue
        let requester = event.requester
        parts = [
            event.tenant.map { Array($0.description.utf8) }, event.sourceType.map { Array($0.description.utf8) },
            event.flow?.bytes, requester.subject.map { Array($0.utf8) }, requester.tokenID.map { Array($0.utf8) },
            requester.remoteAddress.map { Array($0.utf8) }, event.code.map { Array($0.utf8) },
            event.detail.map { Array($0.utf8) }, requester.requestID.map { Array($0.utf8) },
        ]
    }

    /// `nil` where a column is of another type than it should be.
    init?(_ row: Row) {
        guard let time = Int64.fromDatabaseValue(row[1]), let type = String.fromDatabaseValue(row[2]) else {
            return nil
        }
        self.time = time
        self.type = type
        var parts: [[UInt8]?] = []
        for column in 3...11 {
            switch (row[column] as DatabaseValue).storage {
            case .null: parts.append(nil)
            case .string(let text) where column != 5: parts.append(Array(text.utf8))
            case .blob(let bytes) where column == 5: parts.append(Array(bytes))
            default: return nil
            }
        }
        self.parts = parts
    }

    /// `nil` where the row is not one that this program wrote.
    var event: Event? {
        guard let kind = Event.Kind(rawValue: type) else { return nil }
        let texts = parts.map { $0.map { String(decoding: $0, as: UTF8.self) } }
        return Event(
            kind, at: Timestamp(milliseconds: time),
            by: Requester(
                subject: texts[3], tokenID: texts[4], remoteAddress: texts[5], requestID: texts[8]),
            tenant: texts[0].flatMap { TenantID($0) }, sourceType: texts[1].flatMap { SourceType.ID($0) },
            flow: parts[2].flatMap { FlowID(bytes: $0) }, code: texts[6], detail: texts[7])
    }

    /// What a proof is over: each part with its length before it, so that no two events give the same bytes.
    func encoded(sequence: Int64, after digest: [UInt8]) -> [UInt8] {
        var bytes = digest
        bytes.reserveCapacity(256)
        func add(_ number: Int64) { withUnsafeBytes(of: number.bigEndian) { bytes += $0 } }
        add(sequence)
        add(time)
        func add(_ part: [UInt8]?) {
            add(Int64(part?.count ?? -1))
            bytes += part ?? []
        }
        add(Array(type.utf8))
        for part in parts.prefix(8) { add(part) }
        // Events of version 3 and before have no request id, and their proofs nothing of it.
        for part in parts.dropFirst(8) where part != nil { add(part) }
        return bytes
    }
}
