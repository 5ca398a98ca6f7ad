import Foundation
import StoreParts
import Testing

@testable import SQLiteStore

@Suite struct RefusalBudgetTests {
    private let clock = Clock()
    private let budget: RefusalBudget

    private static func address(_ number: Int) -> String { "10.0.\(number / 256).\(number % 256)" }

    init() {
        let clock = clock
        budget = RefusalBudget { clock.now }
    }

    @Test func `an address has ten, and one more a minute`() {
        #expect((0..<50).count { _ in budget.take(for: "192.0.2.1") } == 10)
        clock.advance(.seconds(59))
        #expect(!budget.take(for: "192.0.2.1"))
        clock.advance(.seconds(1))
        #expect(budget.take(for: "192.0.2.1"))
        #expect(!budget.take(for: "192.0.2.1"))
        #expect(budget.take(for: "192.0.2.2"))
    }

    @Test func `all addresses together have a hundred, and one more every ten seconds`() {
        #expect((0..<10_000).count { budget.take(for: Self.address($0)) } == 100)
        clock.advance(.seconds(10))
        #expect((0..<100).count { budget.take(for: Self.address(20_000 + $0)) } == 1)
        clock.advance(.seconds(100_000))
        #expect((0..<10_000).count { budget.take(for: Self.address($0)) } == 100)
    }

    @Test func `an IPv6 network has what an address has, however many addresses it uses`() {
        #expect((0..<50).count { budget.take(for: "2001:db8::\($0)") } == 10)
        #expect(!budget.take(for: "2001:DB8:0:0:ffff::1"))
        #expect(budget.take(for: "2001:db8:0:1::1"))
    }

    @Test func `an IPv4 address is one, whichever way it came`() {
        #expect((0..<50).count { _ in budget.take(for: "::ffff:192.0.2.1") } == 10)
        #expect(!budget.take(for: "192.0.2.1"))
        #expect(budget.take(for: "::ffff:192.0.2.2"))
    }

    @Test func `unknown addresses are one of its own`() {
        #expect((0..<50).count { _ in budget.take(for: nil) } == 10)
        #expect(!budget.take(for: "no address"))
        #expect(budget.take(for: "192.0.2.1"))
    }

    /// Checked and spent in one step: of many at once, no more than there are.
    @Test func `simultaneous refusals do not pass it`() async {
        let budget = budget
        let taken = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<1000 { group.addTask { budget.take(for: Self.address(number % 64)) } }
            return await group.reduce(into: 0) { if $1 { $0 += 1 } }
        }
        #expect(taken == 100)
    }

    @Test func `a summary comes at most every ten seconds`() {
        #expect(budget.takeSummary())
        #expect(!budget.takeSummary())
        clock.advance(.seconds(10))
        #expect(budget.takeSummary())
    }

    /// `@unchecked Sendable`: `lock` guards `time`.
    private final class Clock: @unchecked Sendable {
        private let lock = NSLock()
        private var time = ContinuousClock.now

        var now: ContinuousClock.Instant { lock.withLock { time } }

        func advance(_ duration: Duration) { lock.withLock { time += duration } }
    }
}
