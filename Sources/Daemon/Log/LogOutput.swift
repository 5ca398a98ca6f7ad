import Dispatch
import Foundation
import Glibc
import HTTPService
import Secrets

/// The way of log lines to a descriptor: a reader that stalls holds up no request, but a thread of its own.
///
/// Lines are in the order in which they were handed over. Where too many wait, later ones are dropped and counted.
/// What there is room for is written by whoever hands it over, at once or, for the requests of an event loop, at the end
/// of its turn: to wake a thread costs more than the line. `flush` before the process ends.
package final class LogOutput: TurnEnding {
    /// Of the process. Whoever ends it flushes it.
    package static let standardError = LogOutput(STDERR_FILENO)

    private struct State {
        var waiting: [UInt8] = []
        var untold = 0
        var dropped = 0
        var hasThread = false
        var isIdle = true
        /// Those in `flush`, who are told when all is written.
        var flushing = 0
    }

    private let state = Locked(State())
    private let wake = DispatchSemaphore(value: 0)
    private let written = DispatchSemaphore(value: 0)
    private let descriptor: Int32
    private let mostWaiting: Int

    /// The end of `flush`, where nobody reads: the process has to end.
    private static let longestFlush = DispatchTimeInterval.seconds(1)

    /// POSIX: what one call writes to a pipe up to this size is in one piece, whoever else writes to it.
    private static let pieceSize = 4096

    /// Writes to a descriptor that stays open.
    ///
    /// - Parameter mostWaiting: in bytes. What ten thousand requests log waits in less than four megabytes.
    package init(_ descriptor: Int32, mostWaiting: Int = 4 << 20) {
        self.descriptor = descriptor
        self.mostWaiting = mostWaiting
    }

    /// The number of lines that were dropped since the start.
    package var droppedCount: Int { state.withLock { $0.dropped } }

    /// POSIX: a pipe that can be written to takes a whole piece without waiting.
    private var hasRoom: Bool {
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&ready, 1, 0) == 1 && ready.revents & Int16(POLLOUT) != 0
    }

    /// Hands a line over, with its end. Waits for nobody.
    ///
    /// - Parameter loss: a line that tells how many were dropped before this one.
    package func write(_ line: [UInt8], afterLoss loss: (Int) -> [UInt8]) {
        state.withLock { state in
            guard state.waiting.count + line.count <= mostWaiting else {
                state.untold += 1
                state.dropped += 1
                return
            }
            if state.untold > 0 {
                state.waiting += loss(state.untold)
                state.untold = 0
            }
            state.waiting += line
        }
        if let turn = LoopTurn.current { turn.end(with: self) } else { endTurn() }
    }

    private enum Next { case nothing, start, wake }

    /// Writes what waits, as far as there is room. The thread writes the rest.
    package func endTurn() {
        let next = state.withLock { state -> Next in
            guard state.isIdle, !state.waiting.isEmpty else { return .nothing }
            var rest = state.waiting[...]
            while let end = Self.pieceEnd(rest), hasRoom, put(piece: rest[...end]) { rest = rest[(end + 1)...] }
            guard !rest.isEmpty else {
                state.waiting.removeAll(keepingCapacity: true)
                return .nothing
            }
            state.waiting = Array(rest)
            state.isIdle = false
            defer { state.hasThread = true }
            return state.hasThread ? .wake : .start
        }
        switch next {
        case .nothing: break
        case .wake: wake.signal()
        case .start:
            Thread.detachNewThread { [self] in
                Thread.current.name = "cloakroom-log"
                run()
            }
        }
    }

    /// The end of the whole lines that go out in one piece; `nil` where there are none.
    private static func pieceEnd(_ lines: ArraySlice<UInt8>) -> Int? {
        lines.count <= pieceSize ? lines.indices.last : lines.prefix(pieceSize).lastIndex(of: 0x0A)
    }

    /// Returns when all lines are written, or after a second without a reader.
    package func flush() {
        endTurn()
        let mustWait = state.withLock { state in
            if state.isIdle { return false }
            state.flushing += 1
            return true
        }
        if mustWait { _ = written.wait(timeout: .now() + Self.longestFlush) }
    }

    private func run() {
        var lines: [UInt8] = []
        while true {
            let flushed = state.withLock { state -> Int? in
                guard state.waiting.isEmpty else {
                    swap(&lines, &state.waiting)
                    return nil
                }
                state.isIdle = true
                defer { state.flushing = 0 }
                return state.flushing
            }
            if let flushed {
                for _ in 0..<flushed { written.signal() }
                wake.wait()
            } else {
                put(lines)
                lines.removeAll(keepingCapacity: true)
            }
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
