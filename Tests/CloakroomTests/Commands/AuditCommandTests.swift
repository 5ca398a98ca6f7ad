import Broker
import Formats
import Foundation
import Testing

@testable import cloakroom

@Suite struct AuditCommandTests {
    private static let now = Date(timeIntervalSince1970: 1_790_000_000)

    @Test(
        arguments: [
            ("30s", 1_789_999_970_000), ("30m", 1_789_998_200_000), ("12h", 1_789_956_800_000),
            ("7d", 1_789_395_200_000),
            ("0s", 1_790_000_000_000), ("2027-02-16T08:00:00Z", 1_802_764_800_000),
            // Before 1970 there are no events: from the first one on.
            ("4294967295d", 0), ("1969-12-31T00:00:00Z", 0),
            ("", nil), ("d", nil), ("-1d", nil), ("1.5h", nil), ("7w", nil), ("4294967296s", nil), ("yesterday", nil),
            ("1790000000000", nil),
        ] as [(String, Int64?)])
    func `since is a span or a time`(_ text: String, _ milliseconds: Int64?) {
        #expect(AuditCommand.List.milliseconds(text, now: Self.now) == milliseconds)
    }

    private static func events(_ ids: ClosedRange<Int>) -> [[String: JSONValue]] {
        ids.reversed().map { ["id": .string(String($0)), "time": .number(Double($0) * 10)] }
    }

    @Test func `followed events are printed once each, the oldest first`() {
        var seen = SeenEvents(since: 5)
        #expect(seen.new(Self.events(1...3)).map { $0.text("id") } == ["1", "2", "3"])
        #expect(seen.new(Self.events(2...5)).map { $0.text("id") } == ["4", "5"])
        #expect(seen.new(Self.events(2...5)).isEmpty)
        #expect(seen.new([]).isEmpty)
        // What follows is asked for from the newest event's time on, of which there may be more.
        #expect(seen.newest == 50)
    }

    /// Each writer to a shared database counts by itself: its number is above 32 bits.
    @Test func `events of several writers are printed once each, a late one of an earlier number too`() {
        var seen = SeenEvents(since: 5)
        let event = { (chain: Int64, number: Int64) -> [String: JSONValue] in
            ["id": .string(String(chain << 32 | number)), "time": .number(Double(number))]
        }
        #expect(seen.new([event(1, 9), event(0, 2), event(0, 1)]).count == 3)
        #expect(seen.new([event(1, 9), event(0, 3), event(0, 2)]).map { $0.text("id") } == ["3"])
    }

    @Test func `events without a time that a number holds are printed too`() {
        var seen = SeenEvents(since: 5)
        #expect(seen.new([["id": .string("1"), "time": .number(1e300)]]).count == 1)
        #expect(seen.newest == 5)
    }
}
