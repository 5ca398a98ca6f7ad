import Foundation

/// The time of a test, for the broker and the simulator alike.
final class Clock: @unchecked Sendable {
    // Guarded by the lock.
    private var seconds: Int64 = 0
    private let lock = NSLock()

    /// 2026-11-24, unless a provider's place is about another day.
    static let usual: Int64 = 1_795_478_400

    var now: Int64 {
        get { lock.withLock { seconds } }
        set { lock.withLock { seconds = newValue } }
    }

    init() {
        now = Self.usual
    }
}
