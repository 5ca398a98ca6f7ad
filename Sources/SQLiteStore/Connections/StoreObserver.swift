public import Broker
import Secrets

/// An event in the store's work. Told while requests wait: an observer must not block.
public enum WriterEvent: Sendable {
    /// So many operations shared a commit, which took this long.
    case committed(operations: Int, duration: Duration)
    /// A transaction failed and was rolled back.
    case failed
    /// An operation was refused since too many waited.
    case refused
    /// A failed redemption has its place in the audit trail, some time after it was answered.
    case recorded(Event)
    /// The store could not write it: this is all that is kept of it.
    case notRecorded(Event, StoreError)
    /// The database was not closed as it should be.
    case notClosed(reason: String)
    /// The audit trail was altered, first at this event, and is not extended any more. Told once.
    case trailBroken(sequence: Int64, finding: String)
}

/// The listener that is told what the store does; none until `listen` is called.
final class StoreObserver: Sendable {
    /// Not the closure itself: see ``Locked``.
    private struct Listener {
        let tell: @Sendable (WriterEvent) -> Void
    }

    private let listener = Locked<Listener?>(nil)

    func listen(_ listener: @escaping @Sendable (WriterEvent) -> Void) {
        self.listener.withLock { $0 = Listener(tell: listener) }
    }

    /// `false`: nobody listens.
    @discardableResult
    func tell(_ event: WriterEvent) -> Bool {
        guard let listener = listener.withLock({ $0 }) else { return false }
        listener.tell(event)
        return true
    }
}

extension SQLiteStore {
    /// Has an observer told what the store does from now on, in place of any before it. A broken trail that was found
    /// before is told with the next transaction.
    public func observe(_ observer: @escaping @Sendable (WriterEvent) -> Void) {
        writer.observe(observer)
    }

    /// The number of operations that wait for their commit.
    public var waitingCount: Int { writer.waitingCount }
}
