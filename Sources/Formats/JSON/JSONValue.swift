/// Any JSON value (RFC 8259 § 3).
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// Any other number; its spelling is lost. Read from text it is finite.
    case number(Double)
    /// A whole number of 2^53 or more, or below its negative, that fits into 64 bits: `Double` may not hold it exactly.
    case integer(Int64)
    /// A number that neither of them would hold with all its digits.
    case digits(JSONDigits)
    case string(String)
    case array([JSONValue])
    /// Members without their order; of two of a name the first.
    case object([String: JSONValue])

    /// Reads by the rules for providers (`JSONRules.lenient`), which repair texts. `nil` where `bytes` is not one JSON
    /// value, at most 64 deep and of at most 10,000 values. A byte order mark is passed over, as RFC 8259 § 8.1 allows
    /// readers to.
    public init?(json bytes: [UInt8]) {
        guard let value = try? JSONValue(json: bytes, by: .lenient) else { return nil }
        self = value
    }

    /// The text; `nil` for every other kind of value, numbers too.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The flag; `nil` for every other kind of value, 0 and 1 too.
    package var bool: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    /// The number, rounded where `Double` does not hold it; `nil` for every other kind of value, numbers as text too.
    package var number: Double? {
        switch self {
        case .number(let number): number
        case .integer(let whole): Double(whole)
        // RFC 8259 § 6 lets a reader bound numbers: what no `Double` reaches is as good as unsaid.
        case .digits(let digits): Double(digits.text).flatMap { $0.isFinite ? $0 : nil }
        default: nil
        }
    }

    /// The number, also one that was sent as decimal text with white space around it.
    public var lenientNumber: Double? {
        guard let text = string else { return number }
        let bytes = HeaderValue.trimmed(text[...].utf8)
        // `Double` also reads hexadecimal digits, and words for what is no number.
        guard bytes.allSatisfy({ (0x30...0x39).contains($0) || Self.marks.contains($0) }) else { return nil }
        return Double(Substring(bytes)).flatMap { $0.isFinite ? $0 : nil }
    }

    private static let marks = Array("+-.eE".utf8)
}

/// A number of more digits than machines reckon with, as it was written. Only the reader makes it, so it can be
/// written into JSON as it is.
public struct JSONDigits: Hashable, Sendable {
    let text: String
}

extension JSONValue {
    /// Reads one JSON value, at most 64 deep, within the rules. Throws `malformed`, or `memberRepeated` where only the
    /// rules refuse it.
    package init(json bytes: [UInt8], by rules: JSONRules) throws(JSONFault) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(JSONFault) in
            var reader = JSONReader(bytes, by: rules)
            return try reader.document()
        }
    }
}
