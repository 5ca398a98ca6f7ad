import Formats

// The kinds of members that answers have. One that is not known is `null`, never left out.

extension JSONValue {
    static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    static func count(_ count: Int?) -> JSONValue { count.map { .integer(Int64($0)) } ?? .null }

    /// Whole milliseconds since 1970.
    static func time(_ time: Timestamp?) -> JSONValue { time.map { .integer($0.milliseconds) } ?? .null }

    /// In USD. JSON has no word for what is not finite.
    static func money(_ amount: Double?) -> JSONValue {
        amount.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
    }
}
