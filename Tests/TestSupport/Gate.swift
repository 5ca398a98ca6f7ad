import Foundation

/// A barrier that holds up every task that comes to it until a test opens it.
///
/// `@unchecked Sendable`: the lock guards the variables.
package final class Gate: @unchecked Sendable {
    private let lock = NSLock()
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// A closed gate.
    package init() {}

    /// The tasks that wait now: a test polls it to know that they have come.
    package var waitingCount: Int { lock.withLock { waiting.count } }

    /// Returns at once where the gate is open, else once it is. Cancellation does not end the wait.
    package func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = lock.withLock {
                if !self.isOpen { waiting.append(continuation) }
                return self.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    /// Lets through all that wait and all that come later. A gate does not close again.
    package func open() {
        let waiting = lock.withLock {
            isOpen = true
            defer { self.waiting = [] }
            return self.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
