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
package final class StoreObserver: Sendable {
    /// Not the closure itself: see ``Locked``.
    private struct Listener {
        let tell: @Sendable (WriterEvent) -> Void
    }

    private let listener = Locked<Listener?>(nil)

    package init() {}

    package func listen(_ listener: @escaping @Sendable (WriterEvent) -> Void) {
        self.listener.withLock { $0 = Listener(tell: listener) }
    }

    /// `false`: nobody listens.
    @discardableResult
    package func tell(_ event: WriterEvent) -> Bool {
        guard let listener = listener.withLock({ $0 }) else { return false }
        listener.tell(event)
        return true
    }
}
