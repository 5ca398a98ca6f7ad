/// The rules that a reader has beyond RFC 8259 § 9, which lets it set limits; they depend on who wrote the text.
package struct JSONRules: Sendable {
    /// Refuses an object that has a name twice. This reader takes the first of two members; their author may count on
    /// another reader that takes the last (RFC 7515 § 4 and § 10.12, RFC 7519 § 4). Names that are canonically
    /// equivalent in Unicode count as one here: another reader may take them so.
    var refusesRepeatedMembers: Bool
    /// The most values in one text. A value costs far more than the two bytes that it may be written in, so that a
    /// bound on the bytes alone would let a stranger keep the broker busy for seconds.
    var mostValues: Int

    /// For providers' answers: repeated members are tolerated; several times the values of the largest documents.
    package static let lenient = JSONRules(refusesRepeatedMembers: false, mostValues: 10_000)

    /// For text whose author may gain from its being misread, such as tokens, metadata and requests.
    package static let strict = JSONRules(refusesRepeatedMembers: true, mostValues: 10_000)

    /// For long answers of a service that the operator runs.
    package static let trusted = JSONRules(refusesRepeatedMembers: true, mostValues: 10_000_000)
}

/// Reads others' JSON strictly by the grammar of RFC 8259 § 2 to § 7: nothing is repaired or guessed.
struct JSONReader {
    /// The deepest nesting: the reader recurses, and no provider's answer needs such depth.
    private static let deepest = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private let rules: JSONRules
    private var position = 0
    private var values = 0
    /// True once an object, however deep, has had a name twice.
    private var hasRepeatedMember = false

    init(_ bytes: UnsafeBufferPointer<UInt8>, by rules: JSONRules) {
        self.bytes = bytes
        self.rules = rules
    }

    mutating func document() throws(JSONFault) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        guard let value = value(depth: 0) else { throw .malformed }
        skipSpace()
        guard position == bytes.count else { throw .malformed }
        guard !hasRepeatedMember || !rules.refusesRepeatedMembers else { throw .memberRepeated }
        return value
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
        values += 1
        guard values <= rules.mostValues else { return nil }
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
            if let first = members.updateValue(value, forKey: name) {
                members[name] = first
                hasRepeatedMember = true
            }
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
        if take("\"") { return String(untrusted: plain) }
        var text = Array(plain)
        while next >= 0x20 {
            if take("\"") { return String(untrusted: text) }
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

    /// Reads the rest of an escape, after its backslash (RFC 8259 § 7). A lone surrogate is malformed.
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
        guard let number = Double(text) else { return nil }
        // RFC 8259 § 6 lets a reader bound numbers. One absurd member does not spoil the others: a number that no
        // `Double` holds counts as absent.
        guard number.isFinite else { return .null }
        if isWhole, abs(number) >= 0x1p53, let exact = Int64(text) { return .integer(exact) }
        return .number(number)
    }

    /// Reads digits. Gives their number; `nil` where there is none.
    private mutating func digits() -> Int? {
        let start = position
        while (0x30...0x39).contains(next) { position += 1 }
        return position > start ? position - start : nil
    }
}
