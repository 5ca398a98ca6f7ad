import Broker
import Foundation
import GRDB
public import Secrets
public import StoreParts

extension SQLiteStore {
    /// Proves that the audit trail of the database at `path` is whole. Changes nothing.
    ///
    /// Throws where the database cannot be read; a trail that does not fit, or whose key does not open, is `broken`.
    ///
    /// - Parameter progress: told the number of events that were read, every 10,000.
    public static func verifyAuditTrail(
        path: String, keyRing: KeyRing, progress: (Int64) -> Void = { _ in }
    ) throws(OpeningError) -> AuditVerification {
        do {
            return try StoreFile.openForReading(path).read { db in try verify(db, with: keyRing, progress: progress) }
        } catch let breach as Breach {
            return .broken(sequence: breach.sequence, finding: breach.finding)
        } catch {
            throw StoreFile.opening(error, path)
        }
    }

    private static func verify(
        _ db: Database, with ring: KeyRing, progress: (Int64) -> Void
    ) throws -> AuditVerification {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM audit_trail") else {
            throw Breach(sequence: 0, finding: "the trail's head is gone")
        }
        let key = try key(row, ring)
        let start = AuditTrail.Link(sequence: row.number("start"), digest: row.bytes("start_digest"))
        let first = start.sequence &+ 1
        guard constantTimeEqual(AuditHead.proof(ofStart: start, key), row.bytes("start_proof")) else {
            throw Breach(sequence: first, finding: "events before this one were removed")
        }
        // A database of version 4 or before, such as an old backup, has neither time nor order in its head.
        let isOld = !row.hasColumn("last_time")
        let head = AuditHead(
            link: AuditTrail.Link(sequence: row.number("last"), digest: row.bytes("last_digest")),
            time: isOld ? -1 : row.number("last_time"), orderedFrom: isOld ? 0 : row.number("ordered_from"),
            proof: row.bytes("last_proof"))
        var walk = AuditWalk(key: key, orderedFrom: head.isOld ? .max : head.orderedFrom, from: start)
        let events = try Row.fetchCursor(
            db, sql: "SELECT \(try AuditRow.columns(in: db)) FROM audit_events ORDER BY sequence")
        while let row = try events.next() {
            _ = try walk.step(row)
            if walk.link.sequence.isMultiple(of: 10_000) { progress(walk.link.sequence &- start.sequence) }
        }
        let last = walk.link.sequence
        guard walk.link == head.link, head.isProven(key) else {
            throw Breach(sequence: last &+ 1, finding: "events from this one on were removed")
        }
        if !isOld, let brokenAt: Int64 = Int64.fromDatabaseValue(row["broken_at"]) {
            let finding = String.fromDatabaseValue(row["finding"]) ?? ""
            throw Breach(sequence: brokenAt, finding: "a broker found: \(finding); later events are in its log alone")
        }
        return .sound(events: last &- start.sequence, first: first, last: last)
    }

    private static func key(_ row: Row, _ ring: KeyRing) throws -> SecretBytes {
        do {
            return try AuditKey.open(row.bytes("sealed_key"), ring)
        } catch let unopened as AuditKeyUnopened {
            guard case .unknownKey(let id) = unopened.error else {
                throw Breach(sequence: 0, finding: "the trail's key was altered, or belongs to another master key")
            }
            throw Breach(
                sequence: 0, finding: "the trail's key needs the master key \"\(id)\", which is not in the file")
        }
    }
}

/// Reads what is of another type as altered: it fits no proof.
extension Row {
    fileprivate func number(_ name: String) -> Int64 { Int64.fromDatabaseValue(self[name]) ?? -1 }

    fileprivate func bytes(_ name: String) -> [UInt8] { Data.fromDatabaseValue(self[name]).map { [UInt8]($0) } ?? [] }
}
