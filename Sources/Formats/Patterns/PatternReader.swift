/// Reads the regular expressions of catalogs: the part of the usual syntax that an automaton can do.
///
/// Everything else that other dialects have is refused by name, so that no text means one thing there and another here.
struct PatternReader {
    static let longestText = 2048
    private static let deepest = 50
    private static let mostDigits = 5

    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0

    static func node(_ text: String) throws(PatternFault) -> PatternNode {
        guard text.utf8.count <= longestText else { throw .tooLong }
        guard text.utf8.allSatisfy({ ByteSet.printable.contains($0) }) else { throw .notASCII }
        var reader = PatternReader(bytes: Array(text.utf8))
        let node = try reader.choice()
        guard reader.next == nil else { throw .unbalancedParenthesis }
        return node
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }
    private var afterNext: UInt8? { place + 1 < bytes.count ? bytes[place + 1] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private func isNext(_ characters: String) -> Bool { next.map { characters.utf8.contains($0) } ?? false }

    // MARK: structure

    private mutating func choice() throws(PatternFault) -> PatternNode {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(PatternFault) -> PatternNode {
        var parts: [PatternNode] = []
        while next != nil, !isNext("|)") {
            let part = try part()
            parts.append(try repeated(part))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func part() throws(PatternFault) -> PatternNode {
        guard let byte = next else { return .sequence([]) }
        place += 1
        switch byte {
        case UInt8(ascii: "("): return try group()
        case UInt8(ascii: "["): return .bytes(try characterClass())
        case UInt8(ascii: "\\"): return .bytes(try escape())
        case UInt8(ascii: "."): return .bytes(.printable)
        case UInt8(ascii: "^"): return .start
        case UInt8(ascii: "$"): return .end
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): throw .nothingToRepeat
        case UInt8(ascii: "{"): throw .repetition
        default: return .bytes(ByteSet(byte))
        }
    }

    private mutating func group() throws(PatternFault) -> PatternNode {
        if take("?") { try passPrefix() }
        depth += 1
        guard depth <= Self.deepest else { throw .tooDeep }
        let node = try choice()
        guard take(")") else { throw .unbalancedParenthesis }
        depth -= 1
        return node
    }

    /// Reads the rest of `(?:`; every other group that begins with `(?` is another dialect's.
    private mutating func passPrefix() throws(PatternFault) {
        if take(":") { return }
        switch (next, afterNext) {
        case (UInt8(ascii: "="), _), (UInt8(ascii: "!"), _): throw .unsupported(.lookahead)
        case (UInt8(ascii: "<"), UInt8(ascii: "=")), (UInt8(ascii: "<"), UInt8(ascii: "!")):
            throw .unsupported(.lookbehind)
        case (UInt8(ascii: "<"), _), (UInt8(ascii: "P"), _), (UInt8(ascii: "'"), _): throw .unsupported(.namedGroups)
        case (UInt8(ascii: ">"), _): throw .unsupported(.atomicGroups)
        default: throw .unsupported(.flags)
        }
    }

    // MARK: repetition

    private mutating func repeated(_ part: PatternNode) throws(PatternFault) -> PatternNode {
        guard isNext("*+?{") else { return part }
        switch part {
        case .start, .end: throw .nothingToRepeat
        default: break
        }
        let node: PatternNode
        if take("*") {
            node = .repeated(part, atLeast: 0, atMost: nil)
        } else if take("+") {
            node = .repeated(part, atLeast: 1, atMost: nil)
        } else if take("?") {
            node = .repeated(part, atLeast: 0, atMost: 1)
        } else {
            node = try counted(part)
        }
        if isNext("?") { throw .unsupported(.lazyRepetition) }
        if isNext("+") { throw .unsupported(.possessiveRepetition) }
        if isNext("*{") { throw .nothingToRepeat }
        return node
    }

    private mutating func counted(_ part: PatternNode) throws(PatternFault) -> PatternNode {
        guard take("{"), let least = number() else { throw .repetition }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}"), most.map({ $0 >= least }) ?? true else { throw .repetition }
        return .repeated(part, atLeast: least, atMost: most)
    }

    private mutating func number() -> Int? {
        let digits = bytes[place...].prefix { ByteSet.digits.contains($0) }
        guard digits.count <= Self.mostDigits, let number = Int(String(decoding: digits, as: UTF8.self)) else {
            return nil
        }
        place += digits.count
        return number
    }

    // MARK: characters

    /// Reads an escape after its backslash.
    private mutating func escape() throws(PatternFault) -> ByteSet {
        guard let byte = next else { throw .unknownEscape }
        place += 1
        switch byte {
        case UInt8(ascii: "d"): return .digits
        case UInt8(ascii: "D"): return ByteSet.digits.inverted
        case UInt8(ascii: "w"): return .word
        case UInt8(ascii: "W"): return ByteSet.word.inverted
        case UInt8(ascii: "s"): return .space
        case UInt8(ascii: "S"): return ByteSet.space.inverted
        case UInt8(ascii: "t"): return ByteSet(0x09)
        case UInt8(ascii: "n"): return ByteSet(0x0A)
        case UInt8(ascii: "r"): return ByteSet(0x0D)
        case UInt8(ascii: "1")...UInt8(ascii: "9"), UInt8(ascii: "g"), UInt8(ascii: "k"):
            throw .unsupported(.backreferences)
        case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "A"), UInt8(ascii: "z"), UInt8(ascii: "Z"),
            UInt8(ascii: "G"), UInt8(ascii: "K"):
            throw .unsupported(.wordBoundaries)
        case UInt8(ascii: "p"), UInt8(ascii: "P"): throw .unsupported(.characterProperties)
        default:
            guard !byte.isASCIILetterOrDigit else { throw .unknownEscape }
            return ByteSet(byte)
        }
    }

    /// Reads a class after its bracket.
    private mutating func characterClass() throws(PatternFault) -> ByteSet {
        let isInverted = take("^")
        if isNext("]") { throw .emptyClass }
        var set = ByteSet()
        while !take("]") {
            guard let byte = next else { throw .openClass }
            if byte == afterNext, isNext("&-~") { throw .unsupported(.setOperations) }
            let low = try member()
            if isNext("-"), let after = afterNext, after != UInt8(ascii: "]") {
                if after == UInt8(ascii: "-") { throw .unsupported(.setOperations) }
                place += 1
                let high = try member()
                guard let from = low.single, let to = high.single, from <= to else { throw .range }
                set = set.union(ByteSet(from...to))
            } else {
                set = set.union(low)
            }
        }
        return isInverted ? set.inverted : set
    }

    private mutating func member() throws(PatternFault) -> ByteSet {
        guard let byte = next else { throw .openClass }
        place += 1
        switch byte {
        case UInt8(ascii: "\\"): return try escape()
        case UInt8(ascii: "["): throw .unsupported(next == UInt8(ascii: ":") ? .posixClasses : .setOperations)
        default: return ByteSet(byte)
        }
    }
}
