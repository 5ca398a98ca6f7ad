import Foundation

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Negative before 1970. JSON, the database and page tokens have this number.
    public let milliseconds: Int64

    /// Takes any number; no range is checked.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Orders by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// The moment so many seconds later, or earlier where negative. Traps where 64 bits do not hold it, so only for
    /// lifetimes of the configuration or bounded ones.
    public func adding(seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: milliseconds + seconds * 1000)
    }

    /// The beginning of a day in UTC; `nil` unless `text` is a date such as `2027-02-16`.
    package init?(date text: String) {
        guard text.utf8.count == 10, let date = try? Date("\(text)T00:00:00Z", strategy: .iso8601) else { return nil }
        milliseconds = Int64(date.timeIntervalSince1970 * 1000)
    }
}
