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
/// `@unchecked Sendable`: its variables are touched on its loop alone.
package final class LoopTurn: TaskExecutor, @unchecked Sendable {
    private let loop: any EventLoop
    private var endings: [any TurnEnding] = []
    private var answering: [RequestHandler] = []
    private var isScheduled = false

    init(of loop: any EventLoop) {
        self.loop = loop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in
            pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
            job.runSynchronously(on: asUnownedTaskExecutor())
            pthread_setspecific(Self.key, nil)
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
        schedule()
    }

    /// Has the answer sent that `handler` has written.
    func send(_ handler: RequestHandler) {
        answering.append(handler)
        schedule()
    }

    private func schedule() {
        if isScheduled { return }
        isScheduled = true
        // Behind all tasks that the loop has taken on for this turn.
        loop.execute { [self] in end() }
    }

    private func end() {
        isScheduled = false
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
