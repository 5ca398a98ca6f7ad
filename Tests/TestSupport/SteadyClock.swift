import Foundation

/// A monotonic clock that stands until a test moves it.
///
/// `@unchecked Sendable`: the lock guards the one variable.
public final class SteadyClock: @unchecked Sendable {
    private let lock = NSLock()
    private var time = ContinuousClock.now

    public init() {}

    public var now: ContinuousClock.Instant { lock.withLock { time } }

    public func advance(_ duration: Duration) { lock.withLock { time += duration } }
}
