public import Broker
import Formats
import GRDB
import StoreParts

/// The audit trail as operators read it.
extension SQLiteStore {
    /// Does nothing where the trail is broken: it stays as evidence then, and the log has the event.
    public func record(_ event: Event) async throws(StoreError) {
        try await writer.write { try $0.record(event) }
    }

    /// Writes what failed redemptions wait first. Ends a page early, with a place to go on from, once `mostLookedAt`
    /// events were read.
    public func events(
        _ filter: EventFilter, before sequence: Int64?, limit: Int
    ) async throws(StoreError) -> EventPage {
        await failures.flush()
        return try await lists.read { db in
            var found: [RecordedEvent] = []
            var looked = 0
            let rows = try Self.events(of: filter.kind, before: sequence ?? .max, in: db)
            while found.count < limit, let row = try rows.next() {
                guard let sequence: Int64 = row[AuditRow.Column.sequence] else { continue }
                guard looked < Self.mostLookedAt else { return EventPage(events: found, next: sequence &+ 1) }
                looked += 1
                guard let event = AuditRow(row, if: filter)?.event else { continue }
                // Events stand in the order of their times; those of version 4 and before but for moments.
                if let since = filter.since,
                    event.time.milliseconds < since.milliseconds - AuditTrail.disorderMilliseconds
                {
                    break
                }
                if filter.matches(event) { found.append(RecordedEvent(sequence: sequence, event: event)) }
            }
            return EventPage(events: found, next: nil)
        }
    }

    private static func events(of kind: Event.Kind?, before sequence: Int64, in db: Database) throws -> RowCursor {
        guard let kind, !AuditRow.frequent.contains(kind) else {
            let sql = "SELECT \(AuditRow.Column.list) FROM audit_events WHERE sequence < ? ORDER BY sequence DESC"
            return try Row.fetchCursor(db, sql: sql, arguments: [sequence])
        }
        return try Row.fetchCursor(
            db,
            sql: """
                SELECT \(AuditRow.Column.list) FROM audit_events INDEXED BY audit_events_seldom
                WHERE \(AuditRow.isSeldom) AND type = ? AND sequence < ? ORDER BY sequence DESC
                """, arguments: [kind.rawValue, sequence])
    }
}
