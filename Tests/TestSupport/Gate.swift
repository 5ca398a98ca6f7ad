import Foundation

/// A barrier that holds up every task that comes to it until a test opens it.
///
/// `@unchecked Sendable`: the lock guards the variables.
package final class Gate: @unchecked Sendable {
    private let lock = NSLock()
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var watching: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    /// A closed gate.
    package init() {}

    /// Returns once so many tasks wait at the gate.
    package func arrival(of count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isThere = lock.withLock {
                if waiting.count < count { watching.append((count, continuation)) }
                return waiting.count >= count
            }
            if isThere { continuation.resume() }
        }
    }

    /// Returns at once where the gate is open, else once it is. Cancellation does not end the wait.
    package func pass() async {
        await withCheckedContinuation { continuation in
            let (isOpen, told) = lock.withLock {
                if !self.isOpen { waiting.append(continuation) }
                let told = watching.filter { $0.count <= waiting.count }
                watching.removeAll { $0.count <= waiting.count }
                return (self.isOpen, told)
            }
            for watcher in told { watcher.continuation.resume() }
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
