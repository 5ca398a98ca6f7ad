import Foundation

/// A monotonic clock that stands until a test moves it.
///
/// `@unchecked Sendable`: the lock guards the one variable.
package final class SteadyClock: @unchecked Sendable {
    private let lock = NSLock()
    private var time = ContinuousClock.now

    /// A clock that stands at the real time of its making.
    package init() {}

    /// The same until `advance` is called.
    package var now: ContinuousClock.Instant { lock.withLock { time } }

    /// Moves the clock by a duration; nothing that sleeps on it is woken.
    package func advance(_ duration: Duration) { lock.withLock { time += duration } }
}
