public import Broker
import Catalog
import Formats
import StoreParts

/// The audit trail as operators read it: the events of all chains in the order of their times.
extension PostgresStore {
    /// Does nothing where the trail is broken: it stays as evidence then, and the log has the event.
    public func record(_ event: Event) async throws(StoreError) {
        try await writer.perform { .record(event, $0) }
    }

    /// Writes what failed redemptions wait first. Ends a page early, with a place to go on from, once `mostLookedAt`
    /// events were read.
    public func events(
        _ filter: EventFilter, before number: Int64?, limit: Int
    ) async throws(StoreError) -> EventPage {
        await failures.flush()
        return try await lists.read { connection in
            var place: [Parameter] = [.int(.max), .int(.max), .int(.max)]
            if let number {
                let number = EventNumber(number)
                let parameters: [Parameter] = [.int(number.chain), .int(number.sequence)]
                // Only the oldest are ever forgotten: where this one was, nothing older is left.
                guard let time = try connection.query(.eventTime, parameters).first?.int(0) else {
                    return EventPage(events: [], next: nil)
                }
                place = [.int(time)] + parameters
            }
            let isSeldom = filter.kind.map { !AuditEntry.frequent.contains($0) } ?? false
            let kind = Parameter.text(filter.kind?.rawValue)
            let looked = place + [.int(filter.since?.milliseconds ?? 0), .int(Self.mostLookedAt)]
            let rows = try connection.query(
                isSeldom ? .seldomEvents : .events,
                looked + [kind, .text(filter.tenant?.description), .int(Int64(limit))]
            ).rows
            let events = rows.compactMap { row -> RecordedEvent? in
                guard let event = AuditEntry(row).event else { return nil }
                let number = EventNumber(row.int(EventColumn.chain), row.int(EventColumn.sequence))
                return RecordedEvent(sequence: number.value, event: event)
            }
            guard rows.count < limit else { return EventPage(events: events, next: nil) }
            let end = try connection.query(
                isSeldom ? .seldomEventsEnd : .eventsEnd, isSeldom ? looked + [kind] : looked
            ).first
            return EventPage(events: events, next: end.map { EventNumber($0.int(1), $0.int(2)).value })
        }
    }
}
