import Foundation

/// A monotonic clock that stands until a test moves it.
///
/// `@unchecked Sendable`: the lock guards the variable.
package final class SteadyClock: @unchecked Sendable {
    private let lock = NSLock()
    /// The time before `advance` was ever called.
    package let start = ContinuousClock.now
    private var time: ContinuousClock.Instant

    package init() { time = start }

    /// The same until `advance` is called.
    package var now: ContinuousClock.Instant { lock.withLock { time } }

    /// Moves the clock by a duration; nothing that sleeps on it is woken.
    package func advance(_ duration: Duration) { lock.withLock { time += duration } }
}
