import Foundation
import TestSupport
import Testing

@testable import HTTPService

@Suite struct TokenBucketsTests {
    private let clock = SteadyClock()

    private func buckets(
        _ perSecond: Double, capacity: Int, most: Int = 1 << 16
    ) -> TokenBuckets<Int> {
        let clock = clock
        return TokenBuckets(perSecond: perSecond, capacity: capacity, most: most) { clock.now }
    }

    @Test func `a bucket gives what it holds, then what flows in`() {
        let buckets = buckets(2, capacity: 3)
        #expect(buckets.window == 2)
        #expect(buckets.take(1) == .init(retryAfter: nil, remaining: 2, reset: 1))
        #expect(buckets.take(1) == .init(retryAfter: nil, remaining: 1, reset: 1))
        #expect(buckets.take(1) == .init(retryAfter: nil, remaining: 0, reset: 2))
        #expect(buckets.take(1) == .init(retryAfter: 1, remaining: 0, reset: 2))
        clock.advance(.milliseconds(499))
        #expect(buckets.take(1).retryAfter == 1)
        clock.advance(.milliseconds(1))
        #expect(buckets.take(1).retryAfter == nil)
        #expect(buckets.take(1).retryAfter == 1)
        clock.advance(.seconds(3600))
        #expect((0..<4).map { _ in buckets.take(1).retryAfter } == [nil, nil, nil, 1])
    }

    @Test func `a rate that processes share is divided among those that there are`() {
        let (clock, share) = (clock, LimitShare())
        let buckets = TokenBuckets<Int>(perSecond: 2, capacity: 20, share: share) { clock.now }
        #expect(buckets.capacity == 20 && buckets.window == 10)
        share.set(4)
        #expect(buckets.capacity == 5 && buckets.window == 10)
        var passed = 0
        for _ in 0..<1000 {
            if buckets.take(1).retryAfter == nil { passed += 1 }
            clock.advance(.milliseconds(100))
        }
        #expect((50...55).contains(passed))
        share.set(1)
        clock.advance(.seconds(10))
        for _ in 0..<20 { #expect(buckets.take(1).retryAfter == nil) }
        #expect(buckets.take(1).retryAfter == 1)
    }

    @Test func `of a small rate each process lets one request through at once`() throws {
        let (clock, share) = (clock, LimitShare())
        let buckets = TokenBuckets<Int>(perSecond: 0.1, capacity: 1, share: share) { clock.now }
        share.set(3)
        #expect(buckets.take(1).retryAfter == nil)
        #expect(buckets.take(1).retryAfter == 30)
        share.set(0)
        #expect(share.count == 1)
    }

    @Test func `a refusal costs nothing`() {
        let buckets = buckets(1, capacity: 1)
        _ = buckets.take(1)
        for _ in 0..<1000 { #expect(buckets.take(1).retryAfter == 1) }
        clock.advance(.seconds(1))
        #expect(buckets.take(1).retryAfter == nil)
    }

    @Test func `waiting as long as told is enough, at any rate`() throws {
        for rate in [0.001, 0.05, 0.3, 0.7, 1, 3, 7, 11.5, 1000, 999_983, 1_000_000] {
            let buckets = buckets(rate, capacity: max(1, Int(rate)))
            for _ in 0..<buckets.capacity { #expect(buckets.take(1).retryAfter == nil) }
            let wait = try #require(buckets.take(1).retryAfter)
            #expect(wait >= 1)
            clock.advance(.seconds(wait))
            #expect(buckets.take(1).retryAfter == nil, "\(rate)")
        }
    }

    @Test func `nobody pays for another`() {
        let buckets = buckets(1, capacity: 2)
        for _ in 0..<10 { _ = buckets.take(1) }
        #expect(buckets.take(2).remaining == 1)
    }

    @Test func `over time no more than the rate passes`() {
        let buckets = buckets(7, capacity: 70)
        var passed = 0
        for _ in 0..<100_000 {
            if buckets.take(1).retryAfter == nil { passed += 1 }
            clock.advance(.milliseconds(1))
        }
        #expect((70 + 698...70 + 701).contains(passed))
    }

    @Test func `full buckets are forgotten`() {
        let buckets = buckets(1, capacity: 10)
        for wave in 0..<50 {
            for key in 0..<1000 { _ = buckets.take(wave * 1000 + key) }
            clock.advance(.seconds(2))
        }
        #expect(buckets.count <= 2048)
    }

    @Test func `there are never more than the bound, and who took most is remembered`() {
        let buckets = buckets(1, capacity: 10, most: 1000)
        for _ in 0..<10 { _ = buckets.take(-1) }
        for key in 0..<100_000 {
            _ = buckets.take(key)
            #expect(buckets.count <= 1000)
        }
        #expect(buckets.take(-1).retryAfter == 1)
    }
}
