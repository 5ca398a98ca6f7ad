import Foundation

/// Any JSON (RFC 8259), as a provider sent it.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    /// A whole number that `Double` would not hold exactly.
    case integer(Int64)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// `nil` where `bytes` is not one JSON value in UTF-8. A byte order mark is passed over, as
    /// RFC 8259 § 8.1 allows readers to.
    public init?(json bytes: [UInt8]) {
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        // The decoder recurses; nothing that a provider says needs such depth.
        // No JSON in UTF-8 has a zero byte; UTF-16 and UTF-32, which the decoder would take, do (RFC 8259 § 8.1).
        guard Self.depth(of: body) <= 64, !body.contains(0), String(validating: body, as: UTF8.self) != nil,
            let value = try? JSONDecoder().decode(JSONValue.self, from: Data(body))
        else { return nil }
        self = value
    }

    private static func depth(of bytes: ArraySlice<UInt8>) -> Int {
        var depth = 0
        var deepest = 0
        var inString = false
        var escaped = false
        for byte in bytes {
            if escaped {
                escaped = false
            } else if inString {
                if byte == UInt8(ascii: "\\") { escaped = true } else if byte == UInt8(ascii: "\"") { inString = false }
            } else if byte == UInt8(ascii: "\"") {
                inString = true
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                depth += 1
                deepest = max(deepest, depth)
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                depth -= 1
            }
        }
        return deepest
    }

    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// A number, also one that was sent as text.
    public var lenientNumber: Double? {
        switch self {
        case .number(let number): number
        case .integer(let whole): Double(whole)
        case .string(let text): Double(text.trimmingCharacters(in: .whitespaces))
        default: nil
        }
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
        case .string(let text): try container.encode(text)
        case .array(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }
}

/// Points at a member of a JSON value (RFC 6901).
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    private let tokens: [String]

    /// `nil` unless empty or starting with `/`, with `~` only in `~0` and `~1` (RFC 6901 § 3).
    public init?(_ text: String) {
        description = text
        if text.isEmpty {
            tokens = []
            return
        }
        guard text.hasPrefix("/") else { return nil }
        var tokens: [String] = []
        for token in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            var unescaped = ""
            var rest = token[...]
            while let tilde = rest.firstIndex(of: "~") {
                unescaped += rest[..<tilde]
                rest = rest[rest.index(after: tilde)...]
                guard let escape = rest.popFirst(), escape == "0" || escape == "1" else { return nil }
                unescaped += escape == "0" ? "~" : "/"
            }
            tokens.append(unescaped + rest)
        }
        self.tokens = tokens
    }

    /// A member of the top level, named as it is.
    public static func member(_ name: String) -> JSONPointer { JSONPointer(name: name) }

    private init(name: String) {
        tokens = [name]
        description = "/" + name.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
    }

    /// The value there, or `nil`. JSON's `null` counts as absent.
    public func value(in document: JSONValue) -> JSONValue? {
        var value = document
        for token in tokens {
            switch value {
            case .object(let members):
                guard let member = members[token] else { return nil }
                value = member
            case .array(let elements):
                guard let index = Int(token), elements.indices.contains(index), String(index) == token else {
                    return nil
                }
                value = elements[index]
            default: return nil
            }
        }
        return value == .null ? nil : value
    }
}
