public import Broker
import Catalog
public import Formats
import Foundation
import GRDB

extension SQLiteStore {
    public func sweep(
        at now: Timestamp, eventsSince: Timestamp, limit: Int
    ) async throws(StoreError) -> (events: [Event], isUnfinished: Bool) {
        let (swept, leftOut) = try await writer.write { [trail] db in
            let expired = try Self.sweepTickets(at: now, limit: limit, db)
            let (abandoned, areLeft) = try Self.sweepFlows(at: now, limit: limit, db)
            let leftOut = try FailedRedemptions.summary(at: now, db)
            let events = expired + abandoned
            for event in events { try trail.append(event, db) }
            if let leftOut { try trail.append(leftOut, db) }
            try db.run(Self.forgetRevocations)
            let oldLeft = try trail.forget(before: eventsSince, limit: limit, db)
            return ((events: events, isUnfinished: expired.count == limit || areLeft || oldLeft), leftOut)
        }
        if let leftOut { writer.tell(.recorded(leftOut)) }
        return swept
    }

    /// Those before which no flow and no ticket began that is still here. Flows stand in the order of their start: what
    /// was there when the first one began is older than all of them. Later ones may have a lower line, 0 where a sweep
    /// had left no revocation; since ids never come again, each later revocation is above it all the same.
    private static let forgetRevocations = """
        DELETE FROM revocations WHERE id <= coalesce((SELECT line FROM flows ORDER BY rowid LIMIT 1), id)
            AND NOT EXISTS (SELECT 1 FROM credential_keys WHERE line < revocations.id)
        """

    private static func sweepTickets(at now: Timestamp, limit: Int, _ db: Database) throws -> [Event] {
        let expired = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    DELETE FROM credential_keys WHERE digest IN
                        (SELECT digest FROM credential_keys WHERE expires_at <= ? LIMIT ?)
                    RETURNING flow, tenant, source_type
                    """), arguments: [now.milliseconds, limit])
        let forget = try db.cachedStatement(sql: "UPDATE flows SET sealed_key = NULL WHERE id = ?")
        for row in expired { try forget.execute(arguments: [row[0] as Data]) }
        return expired.map { event(.credentialKeyExpired, at: now, $0) }
    }

    /// Each flow is met twice: at the end of its state, and a day later or a day after its key's end.
    private static func sweepFlows(
        at now: Timestamp, limit: Int, _ db: Database
    ) throws -> (abandoned: [Event], areLeft: Bool) {
        let due = try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT id, tenant, source_type, is_swept, status FROM flows WHERE sweep_at <= ? LIMIT ?"),
            arguments: [now.milliseconds, limit])
        let settle = try db.cachedStatement(
            sql: """
                UPDATE flows SET is_swept = 1, sweep_at = max(?, coalesce(key_expires_at, 0)) + ?, error = CASE WHEN status < 2 THEN 'expired' ELSE error END,
                    status = CASE WHEN status < 2 THEN 3 ELSE status END
                WHERE id = ?
                """)
        let delete = try db.cachedStatement(sql: "DELETE FROM flows WHERE id = ?")
        var abandoned: [Event] = []
        for row in due {
            let id: Data = row[0]
            if row[3] as Bool {
                try delete.execute(arguments: [id])
            } else {
                try settle.execute(arguments: [now.milliseconds, memory, id])
                if (row[4] as Int64) < 2 { abandoned.append(event(.flowFailed, at: now, code: "expired", row)) }
            }
        }
        return (abandoned, due.count == limit)
    }

    private static func event(_ kind: Event.Kind, at now: Timestamp, code: String? = nil, _ row: Row) -> Event {
        Event(
            kind, at: now, tenant: TenantID(row[1] as String), sourceType: SourceType.ID(row[2] as String),
            flow: FlowID(bytes: Array(row[0] as Data)), code: code)
    }
}
