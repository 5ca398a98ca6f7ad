import Foundation
import Glibc

/// The way of log lines to a descriptor, over a thread of their own: a reader that stalls holds up no request.
///
/// Lines are in the order in which they were handed over. Where too many wait, later ones are dropped and counted.
/// `flush` before the process ends; what a crash overtakes is what was handed over in the microseconds before it.
final class LogOutput: @unchecked Sendable {
    /// Of the process. Whoever ends it flushes it.
    static let standardError = LogOutput(STDERR_FILENO)

    // The condition guards the rest.
    private let condition = NSCondition()
    private let descriptor: Int32
    private let mostWaiting: Int
    private var waiting: [UInt8] = []
    private var untold = 0
    private var dropped = 0
    private var hasThread = false
    private var isIdle = true

    /// The end of `flush`, where nobody reads: the process has to end.
    private static let longestFlush = 1.0

    /// POSIX: what one call writes to a pipe up to this size is in one piece, whoever else writes to it.
    private static let pieceSize = 4096

    /// - Parameter mostWaiting: in bytes. What ten thousand requests log waits in less than four megabytes.
    init(_ descriptor: Int32, mostWaiting: Int = 4 << 20) {
        self.descriptor = descriptor
        self.mostWaiting = mostWaiting
    }

    /// The number of lines that were dropped since the start.
    var droppedCount: Int {
        condition.lock()
        defer { condition.unlock() }
        return dropped
    }

    /// Hands a line over, with its end. Waits for nobody.
    ///
    /// - Parameter loss: a line that tells how many were dropped before this one.
    func write(_ line: [UInt8], afterLoss loss: (Int) -> [UInt8]) {
        condition.lock()
        defer { condition.unlock() }
        guard waiting.count + line.count <= mostWaiting else {
            untold += 1
            dropped += 1
            return
        }
        if untold > 0 {
            waiting += loss(untold)
            untold = 0
        }
        waiting += line
        if !hasThread {
            hasThread = true
            let thread = Thread { [self] in run() }
            thread.name = "cloakroom-log"
            thread.start()
        } else if isIdle {
            condition.broadcast()
        }
    }

    /// Returns when all lines are written, or after a second without a reader.
    func flush() {
        let deadline = Date(timeIntervalSinceNow: Self.longestFlush)
        condition.lock()
        defer { condition.unlock() }
        while !waiting.isEmpty || !isIdle {
            guard condition.wait(until: deadline) else { return }
        }
    }

    private func run() {
        var lines: [UInt8] = []
        condition.lock()
        while true {
            while waiting.isEmpty {
                isIdle = true
                condition.broadcast()
                condition.wait()
            }
            isIdle = false
            swap(&lines, &waiting)
            condition.unlock()
            put(lines)
            lines.removeAll(keepingCapacity: true)
            condition.lock()
        }
    }

    /// As many whole lines as fit into a piece in one call.
    private func put(_ lines: [UInt8]) {
        var rest = lines[...]
        while !rest.isEmpty {
            let end =
                rest.prefix(Self.pieceSize).lastIndex(of: 0x0A) ?? rest.firstIndex(of: 0x0A) ?? rest.endIndex - 1
            guard put(piece: rest[...end]) else { return }
            rest = rest[(end + 1)...]
        }
    }

    private func put(piece: ArraySlice<UInt8>) -> Bool {
        var rest = piece
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                // Whoever shares the descriptor made it so.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&ready, 1, -1)
                continue
            }
            if count < 0, errno == EINTR { continue }
            // There is no reader any more, and nowhere to tell it.
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
