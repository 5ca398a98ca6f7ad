/// A JSON value, for what providers send and are sent.
public enum JSON: Codable, Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number that decodes as an `Int64`.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// Takes any JSON value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let values = try? container.decode([JSON].self) {
            self = .array(values)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    /// Writes the value as itself, with no sign of the case.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }

    /// The value that a pointer (RFC 6901 § 4) leads to, `nil` where there is none. Laxer than the RFC: empty segments
    /// are passed over, and an index may have leading zeros.
    public subscript(pointer: String) -> JSON? {
        var value = self
        for part in pointer.split(separator: "/") {
            let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            switch value {
            case .object(let members):
                guard let member = members[name] else { return nil }
                value = member
            case .array(let values):
                guard let index = Int(name), values.indices.contains(index) else { return nil }
                value = values[index]
            default: return nil
            }
        }
        return value
    }

    /// True if this value or one inside it, however deep, equals `other`.
    public func holds(_ other: JSON) -> Bool {
        if self == other { return true }
        return switch self {
        case .array(let values): values.contains { $0.holds(other) }
        case .object(let members): members.values.contains { $0.holds(other) }
        default: false
        }
    }

    /// This object with the members of another that it lacks; anything else as it is.
    func completed(by other: JSON) -> JSON {
        guard case (.object(let members), .object(let others)) = (self, other) else { return self }
        return .object(members.merging(others) { own, _ in own })
    }

    /// A scalar as form encoding would have it.
    var text: String? {
        switch self {
        case .string(let value): value
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .bool(let value): String(value)
        case .null, .array, .object: nil
        }
    }
}
