import Broker
import Foundation
import GRDB
public import Secrets

/// What a look at the whole audit trail found.
public enum AuditVerification: Sendable, Equatable {
    /// Nothing was altered, added or removed: so many events, from the first to the last kept.
    case sound(events: Int64, first: Int64, last: Int64)
    /// The first event that does not fit, or the end of the trail that is not where it should be.
    case broken(sequence: Int64, finding: String)
}

extension SQLiteStore {
    /// Proves that the audit trail of the database at `path` is whole. Changes nothing.
    ///
    /// - Parameter progress: told how many events were read, now and then.
    public static func verifyAuditTrail(
        path: String, keyRing: KeyRing, progress: (Int64) -> Void = { _ in }
    ) throws(OpeningError) -> AuditVerification {
        do {
            return try StoreFile.openForReading(path).read { db in try verify(db, keyRing, progress) }
        } catch {
            throw StoreFile.opening(error, path)
        }
    }

    private static func verify(_ db: Database, _ ring: KeyRing, _ progress: (Int64) -> Void) throws -> AuditVerification
    {
        guard
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT sealed_key, last, last_digest, last_proof, start, start_digest, start_proof FROM audit_trail
                    """)
        else { return .broken(sequence: 0, finding: "the trail's head is gone") }
        // In the order of the statement; what is of another type was altered.
        let blobs = (0..<7).map { Data.fromDatabaseValue(row[$0]).map { [UInt8]($0) } ?? [] }
        let key: SecretBytes
        do {
            key = try AuditKey.open(blobs[0], ring)
        } catch OpenError.unknownKey(let id) {
            return .broken(
                sequence: 0, finding: "the trail's key needs the master key \"\(id)\", which is not in the file")
        } catch {
            return .broken(sequence: 0, finding: "the trail's key was altered, or belongs to another master key")
        }
        let trail = AuditTrail(key: key)
        let last = AuditTrail.Link(sequence: Int64.fromDatabaseValue(row[1]) ?? -1, digest: blobs[2])
        var link = AuditTrail.Link(sequence: Int64.fromDatabaseValue(row[4]) ?? -1, digest: blobs[5])
        let first = link.sequence + 1
        guard constantTimeEqual(trail.proof(of: link, as: .start), blobs[6]) else {
            return .broken(sequence: first, finding: "events before this one were removed")
        }
        let events = try Row.fetchCursor(db, sql: "SELECT \(AuditRow.columns) FROM audit_events ORDER BY sequence")
        while let row = try events.next() {
            guard let sequence = Int64.fromDatabaseValue(row[0]), sequence == link.sequence + 1 else {
                return .broken(sequence: link.sequence + 1, finding: "the event is missing")
            }
            guard let digest = Data.fromDatabaseValue(row[12]).map({ [UInt8]($0) }), let event = AuditRow(row),
                HMACSHA256.verify(digest, of: event.encoded(sequence: sequence, after: link.digest), key: key)
            else { return .broken(sequence: sequence, finding: "the event was altered") }
            link = AuditTrail.Link(sequence: sequence, digest: digest)
            if sequence.isMultiple(of: 10_000) { progress(sequence - first + 1) }
        }
        guard link == last, constantTimeEqual(trail.proof(of: last, as: .last), blobs[3]) else {
            return .broken(sequence: link.sequence + 1, finding: "events from this one on were removed")
        }
        return .sound(events: link.sequence + 1 - first, first: first, last: link.sequence)
    }
}
