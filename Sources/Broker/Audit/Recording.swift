import Foundation

extension Broker {
    /// Tells of an event and keeps it. A store that cannot keep it now must not undo what happened at a provider: the
    /// log has it then.
    func record(_ event: Event) async {
        report(event)
        try? await store.record(event)
    }

    /// The newest events before `sequence` (`nil`: of all), newest first.
    public func events(
        _ filter: EventFilter, before sequence: Int64? = nil, limit: Int
    ) async throws(StoreError) -> [RecordedEvent] {
        try await store.events(filter, before: sequence, limit: limit)
    }
}

/// How many refused keys the audit trail still takes: anybody can present one, and must not fill the disk with it.
///
/// `@unchecked Sendable`: the variables are guarded by `lock`.
final class RefusalBudget: @unchecked Sendable {
    private static let most: Int64 = 100
    /// One more every so many milliseconds.
    private static let interval: Int64 = 100

    private let lock = NSLock()
    private let now: @Sendable () -> Timestamp
    private var left = most
    private var since: Int64

    init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
        since = now().milliseconds
    }

    /// Whether there is one left.
    var hasSome: Bool {
        let time = now().milliseconds
        return lock.withLock {
            let gained = max(0, time - since) / Self.interval
            if gained > 0 || time < since {
                left = min(Self.most, left + gained)
                since = time
            }
            return left > 0
        }
    }

    /// A refusal was kept.
    func spend() { lock.withLock { left = max(0, left - 1) } }
}
