import Logging
import Secrets
import Synchronization

/// The number of a listener's connections, with an upper bound.
///
/// Beyond it they are closed at once: left in the kernel's queue, a peer would wait for what may never come, and could
/// not go to another broker.
package final class Connections: Sendable {
    private let most: Int
    private let open = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    private let told = Locked<ContinuousClock.Instant?>(nil)

    /// - Parameter most: the connections that may be open at once.
    package init(most: Int) {
        self.most = most
    }

    var count: Int { open.load(ordering: .relaxed) }
    var refusedCount: Int { refused.load(ordering: .relaxed) }

    /// Counts one more, unless there are too many. Each `true` needs one `leave`.
    func enter() -> Bool {
        if open.add(1, ordering: .relaxed).newValue <= most { return true }
        open.subtract(1, ordering: .relaxed)
        refused.add(1, ordering: .relaxed)
        return false
    }

    func leave() {
        open.subtract(1, ordering: .relaxed)
    }

    /// Logs that the listener is full, at most once a minute: untrusted peers decide how often that happens.
    func tell(_ logger: Logger) {
        let now = ContinuousClock.now
        let isDue = told.withLock { last in
            if let last, last.duration(to: now) < .seconds(60) { return false }
            last = now
            return true
        }
        guard isDue else { return }
        logger.warning(
            "too many connections: new ones are closed",
            metadata: ["connections": "\(count)", "refused": "\(refusedCount)"])
    }
}
