/// Reads what others wrote, strictly by RFC 8259: nothing is repaired or guessed.
struct JSONReader {
    /// It recurses; nothing that a provider says needs such depth.
    private static let deepest = 64

    /// Several times what the largest documents have. A value costs far more than the two bytes that it may be
    /// written in, so that bounding the bytes alone would let a stranger have us work for seconds.
    static let valueLimit = 10_000

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var values = 0
    /// An object, however deep, has a name twice.
    private(set) var hasRepeatedMember = false

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
        values += 1
        guard values <= Self.valueLimit else { return nil }
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
        if take("\"") { return String(stranger: plain) }
        var text = Array(plain)
        while next >= 0x20 {
            if take("\"") { return String(stranger: text) }
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
        guard let number = Double(text) else { return nil }
        // RFC 8259 § 6 lets a reader bound numbers. One member that is absurd does not spoil the others: what no
        // `Double` holds is as good as unsaid.
        guard number.isFinite else { return .null }
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
