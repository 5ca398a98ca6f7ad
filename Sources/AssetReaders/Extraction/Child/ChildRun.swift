import Glibc
import Secrets

/// One run of a child, from its start to its end. Blocks the thread that it is on.
final class ChildRun: Sendable {
    private struct State {
        var child: pid_t?
        var isCancelled = false
    }

    private let state = Locked(State())

    /// Kills the child, now or as soon as it is there.
    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            if let child = state.child { kill(-child, SIGKILL) }
        }
    }

    func run(_ process: ChildProcess, _ input: [UInt8]) -> Result<[UInt8], ChildProcess.Fault> {
        guard var pipes = ChildPipes() else { return .failure(.notStarted) }
        defer { pipes.close() }
        guard let child = pipes.spawn(process.commandLine) else { return .failure(.notStarted) }
        let isCancelled = state.withLock { state in
            state.child = child
            return state.isCancelled
        }
        if isCancelled { kill(-child, SIGKILL) }
        let deadline = ContinuousClock.now + process.limits.time
        let outcome = pipes.exchange(input, most: process.limits.output, until: deadline)
        if case .failure = outcome { kill(-child, SIGKILL) }
        let status = wait(for: child, until: deadline)
        return result(outcome, status, said: pipes.said)
    }

    /// The child's status. Its output's end does not mean that it has ended.
    private func wait(for child: pid_t, until deadline: ContinuousClock.Instant) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, WNOHANG) == 0 {
            if ContinuousClock.now >= deadline { kill(-child, SIGKILL) }
            usleep(2000)
        }
        // From now on the number may be another process's.
        state.withLock { $0.child = nil }
        // Children of its own.
        kill(-child, SIGKILL)
        return status
    }

    private func result(
        _ outcome: Result<[UInt8], ChildProcess.Fault>, _ status: Int32, said: String
    ) -> Result<[UInt8], ChildProcess.Fault> {
        if state.withLock(\.isCancelled) { return .failure(.cancelled) }
        guard case .success = outcome else { return outcome }
        // As <sys/wait.h> has it: the low seven bits are the signal, the next eight the status.
        guard status & 0x7F == 0 else { return .failure(.killed) }
        let exit = status >> 8 & 0xFF
        return exit == 0 ? outcome : .failure(.failed(status: exit, said: said))
    }
}
