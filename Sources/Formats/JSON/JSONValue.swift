/// Any JSON (RFC 8259), as a provider sent it.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    /// A whole number that `Double` would not hold exactly.
    case integer(Int64)
    /// A number that neither of them would hold with all its digits.
    case digits(JSONDigits)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// `nil` where `bytes` is not one JSON value, at most 64 deep and of at most 10,000 values. A byte order mark is
    /// passed over, as RFC 8259 § 8.1 allows readers to, and texts are repaired.
    public init?(json bytes: [UInt8]) {
        guard let value = try? JSONValue(json: bytes, by: .lenient) else { return nil }
        self = value
    }

    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    package var number: Double? {
        switch self {
        case .number(let number): number
        case .integer(let whole): Double(whole)
        // RFC 8259 § 6 lets a reader bound numbers: what no `Double` reaches is as good as unsaid.
        case .digits(let digits): Double(digits.text).flatMap { $0.isFinite ? $0 : nil }
        default: nil
        }
    }

    /// A number, also one that was sent as text.
    public var lenientNumber: Double? {
        if let text = string { Double(Substring(HeaderValue.trimmed(text[...].utf8))) } else { number }
    }
}

extension JSONValue: Codable {
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

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        // Whole numbers stay whole: an account number must not come back as 1e15.
        case .number(let number):
            if let whole = Int64(exactly: number) { try container.encode(whole) } else { try container.encode(number) }
        case .integer(let whole): try container.encode(whole)
        case .digits: try container.encode(number)
        case .string(let text): try container.encode(text)
        case .array(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }
}

/// A number of more digits than machines reckon with, as it was written. Only the reader makes it, so it can be
/// written into JSON as it is.
public struct JSONDigits: Hashable, Sendable {
    let text: String
}

extension JSONValue {
    /// One JSON value, at most 64 deep, within the rules.
    package init(json bytes: [UInt8], by rules: JSONRules) throws(JSONFault) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(JSONFault) in
            var reader = JSONReader(bytes, by: rules)
            return try reader.document()
        }
    }
}
