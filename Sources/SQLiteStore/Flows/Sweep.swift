public import Broker
import Catalog
public import Formats
import Foundation
import GRDB
import StoreParts

extension SQLiteStore {
    /// One transaction. Also forgets revocations that no flow can fall under any more, and records how many refusals
    /// were left out.
    public func sweep(
        at now: Timestamp, eventsSince: Timestamp, limit: Int
    ) async throws(StoreError) -> (events: [Event], isUnfinished: Bool) {
        let (swept, leftOut) = try await writer.write { transaction in
            let db = transaction.db
            let expired = try Self.sweepCredentialKeys(at: now, limit: limit, in: db)
            let (abandoned, areLeft) = try Self.sweepFlows(at: now, limit: limit, in: db)
            let leftOut = try FailedRedemptions.summary(at: now, in: db)
            let events = expired + abandoned
            for event in events { try transaction.record(event) }
            if let leftOut { try transaction.record(leftOut) }
            try db.run(Self.forgetRevocations)
            let oldLeft = try transaction.trail.forget(before: eventsSince, limit: limit, in: db)
            return ((events: events, isUnfinished: expired.count == limit || areLeft || oldLeft), leftOut)
        }
        if let leftOut { writer.tell(.recorded(leftOut)) }
        return swept
    }

    /// Forgets the revocations that are older than each flow and credential key that is still here. Flows stand in the
    /// order of their start: what was there when the first one began is older than all of them. Later ones may have a
    /// lower line, 0 where a sweep had left no revocation; since ids never come again, each later revocation is above
    /// it all the same.
    private static let forgetRevocations = """
        DELETE FROM revocations WHERE id <= coalesce((SELECT line FROM flows ORDER BY rowid LIMIT 1), id)
            AND NOT EXISTS (SELECT 1 FROM credential_keys WHERE line < revocations.id)
        """

    private enum ExpiredKey: Int32, Columns {
        case flow, tenant, sourceType
    }

    private static func sweepCredentialKeys(at now: Timestamp, limit: Int, in db: Database) throws -> [Event] {
        let expired = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    DELETE FROM credential_keys WHERE digest IN
                        (SELECT digest FROM credential_keys WHERE expires_at <= ? LIMIT ?)
                    RETURNING \(ExpiredKey.list)
                    """), arguments: [now.milliseconds, limit])
        let forget = try db.cachedStatement(sql: "UPDATE flows SET sealed_key = NULL WHERE id = ?")
        return try expired.map { row in
            let flow: DatabaseValue = row[ExpiredKey.flow]
            try forget.execute(arguments: [flow])
            return Event(
                .credentialKeyExpired, at: now, tenant: Self.tenant(row[ExpiredKey.tenant]),
                sourceType: Self.sourceType(row[ExpiredKey.sourceType]), flow: Self.flow(flow))
        }
    }

    private enum DueFlow: Int32, Columns {
        case id, tenant, sourceType, isSwept, status
    }

    private static let settle = """
        UPDATE flows SET is_swept = 1, sweep_at = max(?, coalesce(key_expires_at, 0)) + ?,
            error = CASE WHEN \(FlowRow.Status.isOpen) THEN '\(FlowRow.expired)' ELSE error END,
            status = CASE WHEN \(FlowRow.Status.isOpen) THEN \(FlowRow.Status.failed) ELSE status END
        WHERE id = ?
        """

    /// Each flow is met twice: at the end of its state, and a day later or a day after its key's end.
    private static func sweepFlows(
        at now: Timestamp, limit: Int, in db: Database
    ) throws -> (abandoned: [Event], areLeft: Bool) {
        let due = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT \(DueFlow.list) FROM flows WHERE sweep_at <= ? LIMIT ?"),
            arguments: [now.milliseconds, limit])
        let settle = try db.cachedStatement(sql: settle)
        let delete = try db.cachedStatement(sql: "DELETE FROM flows WHERE id = ?")
        var abandoned: [Event] = []
        for row in due {
            // As it is, so that no row of another form stays for ever.
            let id: DatabaseValue = row[DueFlow.id]
            if row[DueFlow.isSwept] as Bool? == true {
                try delete.execute(arguments: [id])
                continue
            }
            try settle.execute(arguments: [now.milliseconds, retentionMilliseconds, id])
            guard (row[DueFlow.status] as Int?).flatMap(Flow.Status.init(rawValue:))?.isOpen == true else { continue }
            abandoned.append(
                Event(
                    .flowFailed, at: now, tenant: Self.tenant(row[DueFlow.tenant]),
                    sourceType: Self.sourceType(row[DueFlow.sourceType]), flow: Self.flow(id), code: FlowRow.expired))
        }
        return (abandoned, due.count == limit)
    }

    // What cannot be read is left out of the event.

    private static func tenant(_ text: String?) -> TenantID? { text.flatMap { TenantID($0) } }
    private static func sourceType(_ text: String?) -> SourceType.ID? { text.flatMap { SourceType.ID($0) } }
    private static func flow(_ value: DatabaseValue) -> FlowID? {
        Data.fromDatabaseValue(value).flatMap { FlowID(bytes: Array($0)) }
    }
}
