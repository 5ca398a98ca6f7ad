import NIOCore
import NIOPosix
import Secrets
import Testing

@testable import HTTPService

/// The tasks of an event loop, on a loop as the service has.
@Suite(.timeLimit(.minutes(1))) struct LoopTurnTests {
    private let loop: any EventLoop
    private let turn: LoopTurn

    init() {
        loop = MultiThreadedEventLoopGroup.singleton.any()
        turn = LoopTurn(of: loop)
    }

    private final class Ending: TurnEnding {
        private let ends: AsyncStream<[String]>.Continuation
        private let done = Locked([String]())

        init(_ ends: AsyncStream<[String]>.Continuation) { self.ends = ends }

        func note(_ name: String) { done.withLock { $0.append(name) } }
        func endTurn() { ends.yield(done.withLock { $0 }) }
    }

    @Test func `tasks of one turn run in their order on the loop, and it ends once behind them`() async {
        let (ends, continuation) = AsyncStream<[String]>.makeStream()
        let ending = Ending(continuation)
        loop.execute { [loop, turn] in
            for name in ["one", "two"] {
                Task(executorPreference: turn) {
                    #expect(loop.inEventLoop)
                    #expect(LoopTurn.current === turn)
                    ending.note(name)
                    LoopTurn.current?.end(with: ending)
                    await Task.yield()
                    ending.note("\(name) again")
                }
            }
        }
        var iterator = ends.makeAsyncIterator()
        #expect(await iterator.next() == ["one", "two", "one again", "two again"])
        #expect(LoopTurn.current == nil)
    }

    @Test func `a turn ends also where no task had to do with it`() async {
        let (ends, continuation) = AsyncStream<[String]>.makeStream()
        let ending = Ending(continuation)
        loop.execute { [turn] in turn.end(with: ending) }
        var iterator = ends.makeAsyncIterator()
        #expect(await iterator.next() == [])
    }

    @Test func `tasks that bring about ever more leave the loop to others`() async {
        let isOver = Locked(false)
        let task = Task(executorPreference: turn) {
            while !isOver.withLock({ $0 }) { await Task.yield() }
        }
        loop.execute { isOver.withLock { $0 = true } }
        await task.value
    }
}
