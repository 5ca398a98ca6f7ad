import Broker
public import Formats
import Foundation
import GRDB
public import Secrets

extension SQLiteStore {
    /// Begins a new audit trail in a database. The one before goes with a copy of the database into a file beside it,
    /// as evidence; its name.
    ///
    /// The new trail has a key of its own, so that nothing of the old one fits into it, and goes on counting where the
    /// old one ended. Its first event says why.
    public static func resetAuditTrail(
        of database: IdleDatabase, keyRing: KeyRing, reason: String, at now: Timestamp
    ) throws(OpeningError) -> String {
        let path = database.path
        do {
            try refuseAnothersKeys(keyRing, path)
            let evidence = path + ".trail-" + Date().formatted(.iso8601).replacing(":", with: "")
            try copy(path: path, to: evidence)
            let queue = try StoreFile.open(path)
            try queue.write { db in
                // Whatever was altered: numbers that programs can read, and not below those of before.
                let last = try Int64.fetchOne(
                    db,
                    sql: """
                        SELECT max(coalesce((SELECT max(CAST(last AS INTEGER)) FROM audit_trail), 0),
                            coalesce((SELECT max(sequence) FROM audit_events), 0), 0)
                        """)
                try db.execute(sql: "DELETE FROM audit_events; DELETE FROM audit_trail")
                let key = SecretBytes(Random.bytes(32))
                try AuditKey.begin(key, sealedBy: keyRing, in: db, after: min(last ?? 0, 1 << 52))
                let trail = AuditTrail(key: key)
                try trail.append(
                    Event(.auditBroken, at: now, by: Requester(subject: "cloakroom audit reset"), detail: reason),
                    to: db)
                try trail.finish(db)
            }
            try queue.close()
            return evidence
        } catch {
            throw StoreFile.opening(error, path)
        }
    }

    /// Throws where the trail's key names a master key that the ring lacks: the ring is then another installation's, and a
    /// trail that it began would keep the brokers of this one out. Bytes that the named key does not open were altered.
    private static func refuseAnothersKeys(_ ring: KeyRing, _ path: String) throws {
        let sealed = try StoreFile.openForReading(path).read { db in
            // Of any type, where it was altered.
            try Row.fetchOne(db, sql: "SELECT sealed_key FROM audit_trail").flatMap { Data.fromDatabaseValue($0[0]) }
        }
        guard let sealed else { return }
        do {
            _ = try AuditKey.open(Array(sealed), ring)
        } catch let unopened as AuditKeyUnopened {
            if case .unknownKey = unopened.error { throw unopened }
        }
    }
}
