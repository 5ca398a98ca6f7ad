import Foundation

/// A monotonic clock that stands until a test moves it.
///
/// `@unchecked Sendable`: the lock guards the variable.
package final class SteadyClock: @unchecked Sendable {
    private let lock = NSLock()
    package let start = ContinuousClock.now
    private var time: ContinuousClock.Instant

    package init() { time = start }

    package var now: ContinuousClock.Instant { lock.withLock { time } }

    package func advance(_ duration: Duration) { lock.withLock { time += duration } }
}
