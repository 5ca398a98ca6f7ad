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

    /// `nil` where `bytes` is not one JSON value in UTF-8, at most 64 deep. A byte order mark is passed over, as
    /// RFC 8259 § 8.1 allows readers to.
    public init?(json bytes: [UInt8]) {
        let value = bytes.withUnsafeBufferPointer { bytes in
            var reader = JSONReader(bytes)
            return reader.document()
        }
        guard let value else { return nil }
        self = value
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

/// Reads what others wrote, strictly by RFC 8259: nothing is repaired or guessed.
private struct JSONReader {
    /// It recurses; nothing that a provider says needs such depth.
    private static let deepest = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    mutating func document() -> JSONValue? {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        guard let value = value(depth: 0) else { return nil }
        skipSpace()
        return position == bytes.count ? value : nil
    }

    /// The next byte; 0, which stands nowhere in JSON, at the end.
    private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) -> JSONValue? {
        skipSpace()
        switch next {
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "{"): return depth < Self.deepest ? object(depth: depth + 1) : nil
        case UInt8(ascii: "["): return depth < Self.deepest ? array(depth: depth + 1) : nil
        case UInt8(ascii: "t"): return word("true", .bool(true))
        case UInt8(ascii: "f"): return word("false", .bool(false))
        case UInt8(ascii: "n"): return word("null", .null)
        default: return number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) -> JSONValue? {
        let end = position + word.utf8CodeUnitCount
        let letters = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard end <= bytes.count, bytes[position..<end].elementsEqual(letters) else { return nil }
        position = end
        return value
    }

    private mutating func object(depth: Int) -> JSONValue? {
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\""), let name = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value(depth: depth) else { return nil }
            // RFC 8259 § 4 leaves open which of two counts; here, as for Foundation, the first.
            if let first = members.updateValue(value, forKey: name) { members[name] = first }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array(depth: Int) -> JSONValue? {
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(values) }
        while true {
            guard let value = value(depth: depth) else { return nil }
            values.append(value)
            skipSpace()
            if take("]") { return .array(values) }
            guard take(",") else { return nil }
        }
    }

    // MARK: text

    private mutating func string() -> String? {
        position += 1
        let start = position
        while next >= 0x20, next != UInt8(ascii: "\""), next != UInt8(ascii: "\\") { position += 1 }
        let plain = UnsafeBufferPointer(rebasing: bytes[start..<position])
        if take("\"") { return String(validating: plain, as: UTF8.self) }
        var text = Array(plain)
        while next >= 0x20 {
            if take("\"") { return String(validating: text, as: UTF8.self) }
            if take("\\") {
                guard let scalar = escape() else { return nil }
                text.append(contentsOf: Character(scalar).utf8)
            } else {
                text.append(next)
                position += 1
            }
        }
        return nil
    }

    /// What stands after a backslash (RFC 8259 § 7).
    private mutating func escape() -> Unicode.Scalar? {
        let letter = next
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let unit = codeUnit() else { return nil }
            guard UTF16.isLeadSurrogate(unit) else { return Unicode.Scalar(unit) }
            guard take("\\"), take("u"), let trail = codeUnit(), UTF16.isTrailSurrogate(trail) else { return nil }
            return UTF16.decode(UTF16.EncodedScalar([unit, trail]))
        default: return nil
        }
    }

    private mutating func codeUnit() -> UInt16? {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(next)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    // MARK: numbers

    private mutating func number() -> JSONValue? {
        let start = position
        _ = take("-")
        let isZero = next == UInt8(ascii: "0")
        // RFC 8259 § 6: no leading zeros.
        guard let whole = digits(), whole == 1 || !isZero else { return nil }
        var isWhole = true
        if take(".") {
            guard digits() != nil else { return nil }
            isWhole = false
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() != nil else { return nil }
            isWhole = false
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let number = Double(text), number.isFinite else { return nil }
        if isWhole, abs(number) >= 0x1p53, let exact = Int64(text) { return .integer(exact) }
        return .number(number)
    }

    /// How many digits stand here; `nil` where there is none.
    private mutating func digits() -> Int? {
        let start = position
        while (0x30...0x39).contains(next) { position += 1 }
        return position > start ? position - start : nil
    }
}

/// Writes JSON member by member, where an encoder would cost more than what it writes.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {
        bytes.reserveCapacity(512)
    }

    /// What is written as it is: brackets, names, commas.
    package mutating func literal(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func number(_ number: Int64) {
        bytes.append(contentsOf: String(number).utf8)
    }

    /// A text in quotation marks, escaped as RFC 8259 § 7 demands and no further.
    package mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x08: literal("\\b")
            case 0x09: literal("\\t")
            case 0x0A: literal("\\n")
            case 0x0C: literal("\\f")
            case 0x0D: literal("\\r")
            case 0..<0x20:
                literal("\\u00")
                bytes += [UInt8(0x30) + byte >> 4, Self.hexDigits[Int(byte & 0xF)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Throws for numbers that JSON lacks (RFC 8259 § 6).
    mutating func value(_ value: JSONValue) throws {
        switch value {
        case .null: literal("null")
        case .bool(let flag): literal(flag ? "true" : "false")
        case .integer(let whole): number(whole)
        case .number(let number):
            guard number.isFinite else { throw NotFinite() }
            // Whole numbers stay whole: an account number must not come back as 1e15.
            if let whole = Int64(exactly: number) {
                self.number(whole)
            } else {
                bytes.append(contentsOf: number.description.utf8)
            }
        case .string(let text): string(text)
        case .array(let values):
            literal("[")
            for (index, value) in values.enumerated() {
                if index > 0 { literal(",") }
                try self.value(value)
            }
            literal("]")
        case .object(let members):
            literal("{")
            for (index, (name, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { literal(",") }
                string(name)
                literal(":")
                try self.value(value)
            }
            literal("}")
        }
    }

    private struct NotFinite: Error {}
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
