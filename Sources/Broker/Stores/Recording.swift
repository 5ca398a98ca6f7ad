extension Broker {
    /// Reports an event and keeps it. A store that cannot keep it must not undo what happened at a provider: the log
    /// has it then.
    func record(_ event: Event) async {
        report(event)
        do {
            try await store.record(event)
        } catch {
            tell(Incident(notRecorded: event, error))
        }
    }

    /// The newest events before `sequence` (`nil`: the newest of all), newest first, `limit` at most.
    public func events(
        _ filter: EventFilter, before sequence: Int64? = nil, limit: Int
    ) async throws(StoreError) -> EventPage {
        try await store.events(filter, before: sequence, limit: limit)
    }
}
