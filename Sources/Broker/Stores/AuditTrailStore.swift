/// Keeps the audit trail.
public protocol AuditTrailStore: Sendable {
    /// Keeps an event that accompanies no other change.
    func record(_ event: Event) async throws(StoreError)

    /// The newest events before `sequence` (`nil`: the newest of all), newest first, `limit` at most.
    func events(_ filter: EventFilter, before sequence: Int64?, limit: Int) async throws(StoreError) -> EventPage
}
