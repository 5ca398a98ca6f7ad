/// Keeps the audit trail.
public protocol AuditTrailStore: Sendable {
    /// Keeps an event that goes with no other change.
    func record(_ event: Event) async throws(StoreError)

    /// The newest events before `sequence` (`nil`: of all), newest first.
    func events(_ filter: EventFilter, before sequence: Int64?, limit: Int) async throws(StoreError) -> EventPage
}
