import Testing

@testable import Secrets

@Suite(.timeLimit(.minutes(5))) struct SingleFlightCacheTests {
    private struct Fault: Error, Equatable {
        var isLasting = true
    }

    private typealias Cache = SingleFlightCache<String, Int, Fault, String>

    private let clock = Clock()
    private let source = Source()
    private let cache: Cache

    init() {
        let clock = clock
        cache = Cache(
            .init(fresh: .seconds(10), stale: .seconds(100), failure: .seconds(5), refetch: .seconds(3)), capacity: 4,
            isLasting: { $0.isLasting }, now: { clock.now })
    }

    private func value(
        for key: String = "a", refetching: Bool = false, for party: String? = nil
    ) async throws(Fault) -> Int {
        try await cache.value(for: key, refetching: refetching, for: party) { [source] () async throws(Fault) in
            try await source.next()
        }
    }

    /// It may be a secret.
    @Test func `what would serve nobody later is not kept`() async throws {
        let passing = Cache(.init(fresh: .zero), capacity: 4)
        for number in 1...2 {
            let value = try await passing.value(for: "a") { [source] () async throws(Fault) in try await source.next() }
            #expect(value == number)
            #expect(passing.state.withLock { $0.entries["a"]?.value == nil })
        }
    }

    // MARK: ages

    @Test func `a value serves until it is no longer fresh`() async throws {
        #expect(try await value() == 1)
        clock.advance(.milliseconds(9_999))
        #expect(try await value() == 1)
        #expect(cache.freshValue(for: "a") == 1)
        clock.advance(.milliseconds(1))
        #expect(cache.freshValue(for: "a") == nil)
        #expect(try await value() == 2)
    }

    /// A value that arrives may be as old as the question.
    @Test func `a value's age begins when it was asked for`() async throws {
        source.hold()
        let slow = Task { try await value() }
        await source.isAsked(1)
        clock.advance(.seconds(10))
        source.release()
        #expect(try await slow.value == 1)
        #expect(try await value() == 2)
    }

    @Test func `a stale value serves where none can be fetched, until it is too old`() async throws {
        #expect(try await value() == 1)
        source.fail(Fault())
        clock.advance(.milliseconds(99_999))
        #expect(try await value() == 1)
        clock.advance(.milliseconds(1))
        await #expect(throws: Fault()) { try await value() }
    }

    @Test func `a failure is told again without asking, for a while`() async throws {
        source.fail(Fault())
        for _ in 0..<3 { await #expect(throws: Fault()) { try await value() } }
        #expect(source.count == 1)
        clock.advance(.seconds(5))
        await #expect(throws: Fault()) { try await value() }
        #expect(source.count == 2)
    }

    @Test func `a failure that says nothing of who was asked is not kept`() async throws {
        source.fail(Fault(isLasting: false))
        for _ in 0..<3 { await #expect(throws: Fault(isLasting: false)) { try await value() } }
        #expect(source.count == 3)
    }

    @Test func `a fresh value is fetched again where it is not good enough, no more often than the ages allow`()
        async throws
    {
        #expect(try await value() == 1)
        #expect(try await value(refetching: true) == 2)
        #expect(try await value(refetching: true) == 2)
        clock.advance(.seconds(3))
        #expect(try await value(refetching: true) == 3)
    }

    // MARK: one call for all

    @Test func `however many ask at once, one call is made`() async throws {
        source.hold()
        let values = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { try await value() } }
            await source.isAsked(1)
            source.release()
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(values == [1])
        #expect(source.count == 1)
    }

    @Test func `a caller that gives up does not end the call for the others`() async throws {
        source.hold()
        let impatient = Task { try await value() }
        await source.isAsked(1)
        impatient.cancel()
        let patient = Task { try await value() }
        source.release()
        #expect(try await patient.value == 1)
        #expect(source.count == 1)
    }

    @Test func `nobody waits for another party's call, and everybody for one that serves all`() async throws {
        source.hold()
        let first = Task { try await value(for: "one") }
        await source.isAsked(1)
        let others = ["x", "y"].map { party in Task { try await value(for: "two", for: party) } }
        await source.isAsked(3)
        let shared = Task { try await value(for: "one", for: "x") }
        source.release()
        _ = (try await first.value, try await shared.value, try await others[0].value, try await others[1].value)
        #expect(source.count == 3)
    }

    @Test func `parties that come in turn have one call each`() async throws {
        source.hold()
        var waiting: [Task<Int, any Error>] = []
        for party in ["x", "y", "x", "y", "x"] {
            let task = Task { try await value(for: "a", for: party) }
            waiting.append(task)
            await source.isAsked(min(waiting.count, 2))
            // Those that come later are let run as far as they get.
            if waiting.count > 2 { for _ in 0..<100 { await Task.yield() } }
        }
        source.release()
        for task in waiting { _ = try await task.value }
        #expect(source.count == 2)
    }

    @Test func `an answer that was asked for earlier replaces none that was asked for later`() async throws {
        source.hold()
        let early = Task { try await value(for: "a", for: "x") }
        await source.isAsked(1)
        clock.advance(.seconds(1))
        let late = Task { try await value(for: "a", for: "y") }
        await source.isAsked(2)
        source.release(2)
        #expect(try await late.value == 2)
        source.release()
        #expect(try await early.value == 1)
        #expect(cache.freshValue(for: "a") == 2)
    }

    // MARK: forgetting

    @Test func `what was forgotten is fetched again, and a call from before is not kept`() async throws {
        source.hold()
        let before = Task { try await value() }
        await source.isAsked(1)
        cache.forget("a")
        let after = Task { try await value() }
        await source.isAsked(2)
        source.release()
        #expect(Set([try await before.value, try await after.value]) == [1, 2])
        #expect(try await value() == (try await after.value))
        cache.forget("a")
        #expect(try await value() == 3)
    }

    @Test func `no more are kept than fit, those used last`() async throws {
        for key in ["a", "b", "c", "d"] { _ = try await value(for: key) }
        _ = try await value(for: "a")
        _ = try await value(for: "e")
        #expect(cache.count == 4)
        #expect(cache.freshValue(for: "a") == 1)
        #expect(cache.freshValue(for: "b") == nil)
        clock.advance(.seconds(100))
        _ = try await value(for: "f")
        #expect(cache.count == 1)
    }

    // MARK: doubles

    private final class Clock: Sendable {
        private let time = Locked(ContinuousClock.now)

        var now: ContinuousClock.Instant { time.withLock { $0 } }

        func advance(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    /// Counts up with each call, waits while it is held, and fails where it is told to.
    private final class Source: Sendable {
        private struct State: Sendable {
            var count = 0
            var isHeld = false
            var released: Set<Int> = []
            var fault: Fault?
        }

        private let state = Locked(State())

        var count: Int { state.withLock { $0.count } }

        func hold() { state.withLock { $0.isHeld = true } }
        func release() { state.withLock { $0.isHeld = false } }
        /// The call of this number alone.
        func release(_ number: Int) { state.withLock { _ = $0.released.insert(number) } }
        func fail(_ fault: Fault) { state.withLock { $0.fault = fault } }

        func next() async throws(Fault) -> Int {
            let (number, fault) = state.withLock { state in
                state.count += 1
                return (state.count, state.fault)
            }
            while state.withLock({ $0.isHeld && !$0.released.contains(number) }) { await Task.yield() }
            if let fault { throw fault }
            return number
        }

        func isAsked(_ times: Int) async { while count < times { await Task.yield() } }
    }
}
