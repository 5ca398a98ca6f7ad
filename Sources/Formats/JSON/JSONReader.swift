/// The rules that a reader has beyond RFC 8259 § 9, which lets it set limits; they depend on who wrote the text.
package struct JSONRules: Sendable {
    /// Refuses an object that has a name twice. This reader takes the first of two members; their author may count on
    /// another reader that takes the last (RFC 7515 § 4 and § 10.12, RFC 7519 § 4). Names that are canonically
    /// equivalent in Unicode count as one here: another reader may take them so.
    var refusesRepeatedMembers: Bool
    /// The most values in one text. A value costs far more than the two bytes that it may be written in, so that a
    /// bound on the bytes alone would let a stranger keep the broker busy for seconds.
    var mostValues: Int
    /// A text is read though it has bytes that are no UTF-8, half a pair of surrogates, an unknown escape or a control
    /// character, and `NaN` and `Infinity` count as unsaid: one member that nobody asks for must not cost the others. A
    /// repaired text has a character beyond visible ASCII, so that none passes for a token, an address or a key.
    var repairs: Bool

    /// For providers' answers: repeated members are tolerated and texts repaired; several times the values of the largest
    /// documents.
    package static let lenient = JSONRules(refusesRepeatedMembers: false, mostValues: 10_000, repairs: true)

    /// For providers' metadata and keys, which say where secrets are sent.
    package static let metadata = JSONRules(refusesRepeatedMembers: true, mostValues: 10_000, repairs: true)

    /// For text whose author may gain from its being misread, such as tokens and requests.
    package static let strict = JSONRules(refusesRepeatedMembers: true, mostValues: 10_000, repairs: false)

    /// For the listings of strangers, which are long: a page of one may have a hundred thousand files.
    package static let listing = JSONRules(refusesRepeatedMembers: false, mostValues: 1_000_000, repairs: true)

    /// For long answers of a service that the operator runs.
    package static let trusted = JSONRules(refusesRepeatedMembers: true, mostValues: 10_000_000, repairs: false)
}

/// Reads others' JSON by the grammar of RFC 8259 § 2 to § 7; the rules say what is repaired. Nothing is guessed.
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
        case UInt8(ascii: "N") where rules.repairs: return word("NaN", .null)
        case UInt8(ascii: "I") where rules.repairs: return word("Infinity", .null)
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
        if take("\"") { return text(plain) }
        var bytes = Array(plain)
        while next >= 0x20 || (rules.repairs && position < self.bytes.count) {
            if take("\"") { return text(bytes) }
            if take("\\") {
                guard let scalar = escape() ?? (rules.repairs ? "\u{FFFD}" : nil) else { return nil }
                bytes.append(contentsOf: Character(scalar).utf8)
            } else {
                bytes.append(next)
                position += 1
            }
        }
        return nil
    }

    private func text(_ bytes: some Collection<UInt8>) -> String? {
        String(untrusted: bytes) ?? (rules.repairs ? String(repairing: bytes) : nil)
    }

    /// Reads the rest of an escape, after its backslash (RFC 8259 § 7). Where that is no escape, what follows is left to
    /// be read.
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
            let afterLead = position
            guard take("\\"), take("u"), let trail = codeUnit(), UTF16.isTrailSurrogate(trail) else {
                position = afterLead
                return nil
            }
            return UTF16.decode(UTF16.EncodedScalar([unit, trail]))
        default:
            position -= 1
            return nil
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
        if take("-"), rules.repairs, next == UInt8(ascii: "I") { return word("Infinity", .null) }
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
        if isWhole {
            if abs(number) < 0x1p53 { return .number(number) }
            return Int64(text).map { .integer($0) } ?? .digits(JSONDigits(text: text))
        }
        return Self.isHeld(text, by: number) ? .number(number) : .digits(JSONDigits(text: text))
    }

    /// Tells whether a `Double` gives all digits of a number back: up to 15 always (IEEE 754), unless it lies beyond
    /// what a `Double` reaches.
    private static func isHeld(_ text: String, by number: Double) -> Bool {
        let digits = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }
            .drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
            .count { $0 != UInt8(ascii: ".") }
        return digits <= 15 && (number.isNormal || digits == 0)
    }

    /// Reads digits. Gives their number; `nil` where there is none.
    private mutating func digits() -> Int? {
        let start = position
        while (0x30...0x39).contains(next) { position += 1 }
        return position > start ? position - start : nil
    }
}
