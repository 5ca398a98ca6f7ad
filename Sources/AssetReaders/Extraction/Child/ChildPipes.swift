import CSpawn
import Glibc

/// The three ways between a child and us: to it, from it, and what it complains.
struct ChildPipes: ~Copyable {
    private var input: (ours: Int32, theirs: Int32)
    private var output: (ours: Int32, theirs: Int32)
    private var errors: (ours: Int32, theirs: Int32)
    private var complaint: [UInt8] = []

    /// `nil` where the system has no descriptors left.
    init?() {
        // Sockets: a child that ends before it has read all must not send us SIGPIPE.
        guard let input = Self.pair(), let output = Self.pair(), let errors = Self.pair() else { return nil }
        (self.input, self.output, self.errors) = (input, output, errors)
    }

    private static func pair() -> (ours: Int32, theirs: Int32)? {
        var pair: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &pair) == 0 else { return nil }
        _ = fcntl(pair[0], F_SETFL, O_NONBLOCK)
        return (pair[0], pair[1])
    }

    mutating func close() {
        for descriptor in [input.ours, input.theirs, output.ours, output.theirs, errors.ours, errors.theirs]
        where descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// The beginning of what the child wrote to its error output.
    var said: String { String(decoding: complaint, as: UTF8.self) }

    // MARK: the start

    /// Starts the child, with nothing of ours but its ends of the ways; `nil` where that fails.
    mutating func spawn(_ arguments: [String]) -> pid_t? {
        let words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        // Nothing of our environment, in which secrets may be.
        let environment: [UnsafeMutablePointer<CChar>?] =
            ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"].map { (setting: String) in strdup(setting) } + [nil]
        let child = cloakroom_spawn(words, environment, input.theirs, output.theirs, errors.theirs)
        for word in words + environment { free(word) }
        Self.end(&input.theirs)
        Self.end(&output.theirs)
        Self.end(&errors.theirs)
        return child > 0 ? child : nil
    }

    // MARK: the exchange

    /// Sends `bytes` and takes what comes, at once, until the child has closed its output.
    mutating func exchange(
        _ bytes: [UInt8], most: Int, until deadline: ContinuousClock.Instant
    ) -> Result<[UInt8], ChildProcess.Fault> {
        var taken: [UInt8] = []
        var sent = 0
        var isOpen = true
        while isOpen {
            guard wait(isSending: input.ours >= 0, until: deadline) else { return .failure(.timedOut) }
            if input.ours >= 0 { send(bytes, &sent) }
            if Self.take(errors.ours, into: &complaint, most: 4096) == .ended { Self.end(&errors.ours) }
            switch Self.take(output.ours, into: &taken, most: most) {
            case .full: return .failure(.outputTooLarge)
            case .ended: isOpen = false
            case .more: break
            }
        }
        return .success(taken)
    }

    private func wait(isSending: Bool, until deadline: ContinuousClock.Instant) -> Bool {
        let left = deadline - .now
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
        guard milliseconds > 0 else { return false }
        // Those that are closed have the number -1, which is passed over.
        var ways = [
            pollfd(fd: output.ours, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errors.ours, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isSending ? input.ours : -1, events: Int16(POLLOUT), revents: 0),
        ]
        _ = poll(&ways, 3, Int32(clamping: milliseconds))
        return true
    }

    private mutating func send(_ bytes: [UInt8], _ sent: inout Int) {
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    input.ours, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            // It does not read on, and its status will tell why.
            guard count > 0 else { break }
            sent += count
        }
        Self.end(&input.ours)
    }

    private static func end(_ descriptor: inout Int32) {
        _ = Glibc.close(descriptor)
        descriptor = -1
    }

    private enum Taken { case more, ended, full }

    private static func take(_ descriptor: Int32, into bytes: inout [UInt8], most: Int) -> Taken {
        guard descriptor >= 0 else { return .more }
        var isFull = false
        while true {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, filled in
                count = read(descriptor, buffer.baseAddress, buffer.count)
                filled = max(count, 0)
            }
            guard count > 0 else {
                if count < 0, errno == EAGAIN || errno == EINTR { return isFull ? .full : .more }
                return isFull ? .full : .ended
            }
            let room = most - bytes.count
            if count > room { isFull = true }
            bytes += piece.prefix(max(0, room))
            if isFull, most > 4096 { return .full }
        }
    }
}
