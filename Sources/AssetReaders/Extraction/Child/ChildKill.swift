import Glibc
import Secrets

/// Ends a child from any thread, and only while it is there: the number of one that was waited for may be another's.
final class ChildKill: Sendable {
    fileprivate struct State: Sendable {
        /// Of the child, which leads a group of its own.
        var process: pid_t?
        var isCancelled = false
    }

    private let state = Locked(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Ends the child that runs, or that comes.
    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.end()
        }
    }

    /// Ends the child and all that it has started.
    func end() { state.withLock { $0.end() } }

    /// `start` is not called once it was cancelled.
    func begin(_ start: () throws(ExtractionFault) -> pid_t) throws(ExtractionFault) -> pid_t {
        try state.withLock { state throws(ExtractionFault) in
            guard !state.isCancelled else { throw .cancelled }
            let process = try start()
            state.process = process
            return process
        }
    }

    /// Forgets the child, which has ended, and takes away what it left.
    func reap() -> Int32 {
        state.withLock { state in
            state.end()
            var status: Int32 = 0
            if let process = state.process {
                while waitpid(process, &status, 0) == -1, errno == EINTR {}
            }
            state.process = nil
            return status
        }
    }
}

extension ChildKill.State {
    fileprivate func end() {
        guard let process else { return }
        // By its own number too: one that a document has taken over may have left its group.
        kill(process, SIGKILL)
        kill(-process, SIGKILL)
    }
}
