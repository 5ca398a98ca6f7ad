import Glibc
import NIOCore
import Secrets

/// Has something to do once for all requests that an event loop worked on in one turn.
package protocol TurnEnding: AnyObject, Sendable {
    /// Called on the loop's thread, before the turn's answers are sent. Must not block.
    func endTurn()
}

/// Runs the tasks of an event loop's connections on that loop, and what they have in common at the end of each turn.
///
/// From the last byte of a request to the first of its answer no other thread is woken unless something waits. The log
/// lines of a turn go out in one piece, and then its answers: a request's line is there before its answer.
///
/// `@unchecked Sendable`: what other threads hand over is under the lock of `arrived`; the other variables are touched on
/// its loop alone.
package final class LoopTurn: TaskExecutor, @unchecked Sendable {
    private struct Arrived: Sendable {
        var jobs: [UnownedJob] = []
        /// The loop has been told, and has not looked yet.
        var isExpected = false
    }

    private let loop: any EventLoop
    private let arrived = Locked(Arrived())
    private var jobs: [UnownedJob] = []
    private var endings: [any TurnEnding] = []
    private var answering: [RequestHandler] = []
    private var isEndExpected = false

    /// What jobs of a turn bring about at once belongs to it too, so many times over; then the connections have their turn.
    private static let mostRounds = 4

    init(of loop: any EventLoop) {
        self.loop = loop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustTell = arrived.withLock { arrived in
            arrived.jobs.append(job)
            defer { arrived.isExpected = true }
            return !arrived.isExpected
        }
        if mustTell { loop.execute { [self] in run() } }
    }

    private func run() {
        isEndExpected = true
        pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
        for _ in 0..<Self.mostRounds where takeJobs() {
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            jobs.removeAll(keepingCapacity: true)
        }
        pthread_setspecific(Self.key, nil)
        let hasMore = arrived.withLock { arrived in
            arrived.isExpected = !arrived.jobs.isEmpty
            return arrived.isExpected
        }
        if hasMore { loop.execute { [self] in run() } }
        end()
    }

    private func takeJobs() -> Bool {
        arrived.withLock { arrived in
            swap(&jobs, &arrived.jobs)
            return !jobs.isEmpty
        }
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// The turn in which the caller runs; `nil` on other threads than a loop's.
    package static var current: LoopTurn? {
        pthread_getspecific(key).map { Unmanaged<LoopTurn>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Has `ending` called when this turn ends.
    package func end(with ending: any TurnEnding) {
        if !endings.contains(where: { $0 === ending }) { endings.append(ending) }
        expectEnd()
    }

    /// Has the answer sent that `handler` has written.
    func send(_ handler: RequestHandler) {
        answering.append(handler)
        expectEnd()
    }

    /// For what happens on the loop in no job.
    private func expectEnd() {
        if isEndExpected { return }
        isEndExpected = true
        loop.execute { [self] in end() }
    }

    private func end() {
        isEndExpected = false
        for ending in endings { ending.endTurn() }
        endings.removeAll(keepingCapacity: true)
        let handlers = answering
        answering.removeAll(keepingCapacity: true)
        for handler in handlers { handler.flush() }
    }
}

/// The turns of all loops that a listener's connections are on.
final class LoopTurns: Sendable {
    private let turns = Locked<[ObjectIdentifier: LoopTurn]>([:])

    subscript(_ loop: any EventLoop) -> LoopTurn {
        turns.withLock { turns in
            if let known = turns[ObjectIdentifier(loop)] { return known }
            let turn = LoopTurn(of: loop)
            turns[ObjectIdentifier(loop)] = turn
            return turn
        }
    }
}
