import Broker
import Formats
import Foundation

/// JSON as `--json` prints it.
enum JSONText {
    enum Layout {
        /// A member a line, for what is printed once.
        case lines
        /// All on one line, for what goes on (`--follow`): a line is a value.
        case line
    }

    /// Members are sorted, so that two outputs can be compared.
    static func of(_ value: some Encodable, _ layout: Layout = .lines) -> String {
        // Only numbers that JSON lacks (NaN) fail, and no answer of a broker holds one.
        guard let json = try? JSONValue(encoding: value) else { return "null" }
        switch layout {
        case .lines: return (try? json.indented()) ?? "null"
        case .line: return (try? json.encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "null"
        }
    }
}

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

/// `1 flow`, `2 flows`.
func counted(_ count: some BinaryInteger, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}
