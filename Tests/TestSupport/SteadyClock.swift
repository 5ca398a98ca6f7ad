import Foundation

/// A monotonic clock that stands until a test moves it.
///
/// `@unchecked Sendable`: the lock guards the one variable.
package final class SteadyClock: @unchecked Sendable {
    private let lock = NSLock()
    private var time = ContinuousClock.now

    package init() {}

    package var now: ContinuousClock.Instant { lock.withLock { time } }

    package func advance(_ duration: Duration) { lock.withLock { time += duration } }
}
