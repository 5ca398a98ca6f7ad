/// Any JSON value (RFC 8259 § 3).
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// Any other number; its spelling is lost. Read from text it is finite.
    case number(Double)
    /// A whole number of 2^53 or more, or below its negative, that fits into 64 bits: `Double` may not hold it exactly.
    case integer(Int64)
    case string(String)
    case array([JSONValue])
    /// Members without their order; of two of a name the first.
    case object([String: JSONValue])

    /// Reads by the rules for providers (`JSONRules.lenient`). `nil` where `bytes` is not one JSON value in UTF-8, at
    /// most 64 deep and of at most 10,000 values. A byte order mark is passed over, as RFC 8259 § 8.1 allows readers
    /// to.
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
        default: nil
        }
    }

    /// The number, also one that was sent as text with white space around it. May be infinite or NaN there: `Double`
    /// reads these words.
    public var lenientNumber: Double? {
        if let text = string { Double(Substring(HeaderValue.trimmed(text[...].utf8))) } else { number }
    }
}

extension JSONValue: Codable {
    /// For other decoders than `decoded(as:)`, which takes a value as it is.
    public init(from decoder: any Decoder) throws {
        // Most of a token response is text, so that is tried first.
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if value.decodeNil() {
            self = .null
        } else if let object = try? value.decode([String: JSONValue].self) {
            self = .object(object)
        } else if let flag = try? value.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? value.decode(Double.self) {
            if abs(number) >= 0x1p53, let whole = try? value.decode(Int64.self) {
                self = .integer(whole)
            } else {
                self = .number(number)
            }
        } else {
            self = .array(try value.decode([JSONValue].self))
        }
    }

    /// For other encoders than `encoded()`. Whole numbers are written as such.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        // Whole numbers stay whole: an account number must not come back as 1e15.
        case .number(let number):
            if let whole = Int64(exactly: number) { try container.encode(whole) } else { try container.encode(number) }
        case .integer(let whole): try container.encode(whole)
        case .string(let text): try container.encode(text)
        case .array(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }
}

extension JSONValue {
    /// Reads one JSON value in UTF-8, at most 64 deep, within the rules. Throws `malformed`, or `memberRepeated` where
    /// only the rules refuse it.
    package init(json bytes: [UInt8], by rules: JSONRules) throws(JSONFault) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(JSONFault) in
            var reader = JSONReader(bytes, by: rules)
            return try reader.document()
        }
    }
}
