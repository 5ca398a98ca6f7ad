import Formats
import Foundation

extension JSONValue {
    /// The objects of a list; what is none reads as an object without members.
    var objects: [[String: JSONValue]]? {
        guard case .array(let values) = self else { return nil }
        return values.map { if case .object(let members) = $0 { members } else { [:] } }
    }

    /// A whole number that was sent as one; `nil` also where no `Int64` holds it, whatever answered.
    var whole: Int64? {
        switch self {
        case .integer(let whole): whole
        case .number(let number): Int64(exactly: number.rounded())
        default: nil
        }
    }
}

extension [String: JSONValue] {
    /// From the year 0 to the end of 9999, in Unix milliseconds.
    private static let times: Range<Int64> = -62_167_219_200_000..<253_402_300_800_000

    /// A text for a cell of a table: empty where there is none.
    func text(_ name: String) -> String { self[name]?.string ?? "" }

    /// A time of the API as people read it; empty outside the years that RFC 3339 § 5.6 can write.
    func time(_ name: String) -> String {
        guard let milliseconds = self[name]?.whole, Self.times.contains(milliseconds) else { return "" }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
    }
}
