import Glibc

/// Feeds a child, takes what it writes, and sees its end. Blocks its thread.
struct ChildExchange: ~Copyable {
    private let child: SpawnedChild
    private let limits: ChildProcess.Limits
    private let kill: ChildKill
    private let deadline: ContinuousClock.Instant
    private var isInputOpen = true
    private var isOutputOpen = true
    private var areComplaintsOpen = true
    private var sent = 0
    private var output: [UInt8] = []
    private var complaints: [UInt8] = []

    private static let mostComplaints = 4096

    init(with child: SpawnedChild, limits: ChildProcess.Limits, kill: ChildKill) {
        self.child = child
        self.limits = limits
        self.kill = kill
        deadline = .now + limits.time
    }

    consuming func run(on input: [UInt8]) throws(ExtractionFault) -> ChildProcess.Outcome {
        let fault = exchange(input)
        closeInput()
        closeOutput()
        closeComplaints()
        let hasEnded = fault == nil && waitForEnd()
        // Kills what still runs, and whatever the child has left.
        let status = kill.reap()
        if let fault { throw fault }
        guard hasEnded else { throw .timedOut }
        guard status & 0x7F == 0 else { throw status & 0x7F == SIGXCPU ? .timedOut : .crashed }
        return ChildProcess.Outcome(status: status >> 8 & 0xFF, output: output, complaints: complaints)
    }

    /// Returns once the child has closed what it writes to.
    private mutating func exchange(_ input: [UInt8]) -> ExtractionFault? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while isOutputOpen || areComplaintsOpen {
            var lines = [
                pollfd(fd: isOutputOpen ? child.output : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: areComplaintsOpen ? child.complaints : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isInputOpen ? child.input : -1, events: Int16(POLLOUT), revents: 0),
            ]
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return .timedOut }
            poll(&lines, 3, Int32(clamping: left.components.seconds * 1000 + 1000))
            if lines[0].revents != 0 { readOutput(&buffer) }
            if lines[1].revents != 0 { readComplaints(&buffer) }
            if lines[2].revents != 0 { send(input) }
            if output.count > limits.output { return .tooMuchText }
        }
        return nil
    }

    private mutating func send(_ input: [UInt8]) {
        let count = input.withUnsafeBytes { bytes in
            Glibc.send(
                child.input, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        if count > 0 { sent += count }
        // A child that reads no further may have seen enough.
        let isBroken = count < 0 && errno != EAGAIN && errno != EINTR
        if isBroken || sent == input.count { closeInput() }
    }

    private mutating func readOutput(_ buffer: inout [UInt8]) {
        let count = read(child.output, &buffer, buffer.count)
        if count > 0 { output += buffer[..<count] }
        if count == 0 || (count < 0 && errno != EINTR) { closeOutput() }
    }

    private mutating func readComplaints(_ buffer: inout [UInt8]) {
        let count = read(child.complaints, &buffer, buffer.count)
        if count > 0 { complaints += buffer[..<count].prefix(Self.mostComplaints - complaints.count) }
        if count == 0 || (count < 0 && errno != EINTR) { closeComplaints() }
    }

    /// `false` where it has not ended at the deadline. It leaves the child to be waited for.
    private func waitForEnd() -> Bool {
        var milliseconds: Int32 = 1
        while ContinuousClock.now < deadline {
            var information = siginfo_t()
            let code = waitid(P_PID, id_t(child.process), &information, WEXITED | WNOHANG | WNOWAIT)
            if code == 0, information.si_signo == SIGCHLD { return true }
            if code == -1, errno != EINTR { return true }
            // A child that has closed its output is about to end.
            poll(nil, 0, milliseconds)
            milliseconds = min(milliseconds * 2, 50)
        }
        return false
    }

    private mutating func closeInput() {
        if isInputOpen { close(child.input) }
        isInputOpen = false
    }

    private mutating func closeOutput() {
        if isOutputOpen { close(child.output) }
        isOutputOpen = false
    }

    private mutating func closeComplaints() {
        if areComplaintsOpen { close(child.complaints) }
        areComplaintsOpen = false
    }
}
