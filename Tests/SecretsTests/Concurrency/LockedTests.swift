import Testing

@testable import Secrets

@Suite struct LockedTests {
    @Test func `of many at once, none is lost`() async {
        let counter = Counter()
        await withTaskGroup { group in
            for _ in 0..<64 { group.addTask { for _ in 0..<1000 { counter.add() } } }
        }
        #expect(counter.count == 64_000)
    }

    @Test func `a body that throws lets the next one in`() {
        struct Fault: Error, Equatable {}
        let value = Locked(1)
        #expect(throws: Fault()) {
            try value.withLock { number throws(Fault) in
                number = 2
                throw Fault()
            }
        }
        #expect(value.withLock { $0 } == 2)
    }

    @Test func `what is held is let go with it`() {
        weak var held: Counter?
        do {
            let counter = Counter()
            held = counter
            let locked = Locked<Counter?>(counter)
            #expect(locked.withLock { $0 === counter })
        }
        #expect(held == nil)
    }

    private final class Counter: Sendable {
        private let number = Locked(0)

        var count: Int { number.withLock { $0 } }

        func add() { number.withLock { $0 += 1 } }
    }
}
