/// A user-perceived character of a text.
struct Grapheme {
    var start: Int
    var end: Int
    /// Its first.
    var scalar: Unicode.Scalar
    /// It is white space, and nothing that hangs on it.
    var isWhiteSpace: Bool
    /// It is the rest of one that was too long.
    var isContinuation: Bool
}

/// The graphemes of a part of a text in UTF-8 (Unicode Standard Annex 29 § 3), in order, by the standard library's own
/// rules.
///
/// One may go on without end: any number of marks may follow a letter. One that is longer than a chunk is cut into
/// pieces between two scalars: a chunk's size is what a model can take, and holds. Time grows with the length alone,
/// since each scalar is looked at once, unlike with `Character`.
struct Graphemes: IteratorProtocol {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let end: Int
    private let longest: Int
    private var position: Int
    private var isContinuation = false

    /// - Parameter longest: the most bytes of one; at least 4.
    init(of bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>, longest: Int) {
        self.bytes = bytes
        self.end = range.upperBound
        self.longest = longest
        position = range.lowerBound
    }

    mutating func next() -> Grapheme? {
        guard position < end else { return nil }
        let start = position
        let first = takeScalar()
        var grapheme = Grapheme(
            start: start, end: position, scalar: first, isWhiteSpace: first.isWhiteSpace,
            isContinuation: isContinuation)
        isContinuation = false
        // Between two characters of ASCII there is always a border: line ends are LF.
        if first.isASCII, position == end || bytes[position] < 0x80 { return grapheme }
        takeRest(of: &grapheme, after: first)
        return grapheme
    }

    /// Passes over characters of a word as far as they lie before `limit`, and gives their end; `nil` where there are
    /// none. For places behind a character that is not white space.
    mutating func skipPlain(before limit: Int) -> Int? {
        guard !isContinuation else { return nil }
        let start = position
        let last = min(limit, end)
        // One that is followed by a mark is taken with it.
        while position < last, bytes[position].isPlain, position + 1 == end || bytes[position + 1] < 0x80 {
            position += 1
        }
        return position > start ? position : nil
    }

    /// Passes over a space that the first character of a word follows, one of those that `skipPlain` passes over.
    mutating func skipSpace(before limit: Int) -> Bool {
        let next = position + 1
        guard next < min(limit, end), bytes[position] == 0x20, bytes[next].isPlain,
            next + 1 == end || bytes[next + 1] < 0x80
        else { return false }
        position = next
        return true
    }

    private mutating func takeRest(of grapheme: inout Grapheme, after first: Unicode.Scalar) {
        var recognizer = Unicode._CharacterRecognizer()
        _ = recognizer.hasBreak(before: first)
        while position < end {
            let (scalar, count) = UTF8Scalar.decode(bytes, at: position, before: end)
            if recognizer.hasBreak(before: scalar) { break }
            if position + count - grapheme.start > longest {
                isContinuation = true
                break
            }
            position += count
            grapheme.isWhiteSpace = false
        }
        grapheme.end = position
    }

    private mutating func takeScalar() -> Unicode.Scalar {
        let first = bytes[position]
        if first < 0x80 {
            position += 1
            return Unicode.Scalar(first)
        }
        let (scalar, count) = UTF8Scalar.decode(bytes, at: position, before: end)
        position += count
        return scalar
    }
}

extension Unicode.Scalar {
    /// Has the property `White_Space` (Unicode Standard Annex 44 § 5.1).
    fileprivate var isWhiteSpace: Bool {
        // Most are letters of ASCII.
        if value > 0x20, value < 0x80 { return false }
        return switch value {
        case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }
}

extension UInt8 {
    /// A letter, a digit or another visible character of ASCII that ends no sentence and closes no quotation.
    var isPlain: Bool {
        switch self {
        // ! " ' ) . ? ] }
        case 0x21, 0x22, 0x27, 0x29, 0x2E, 0x3F, 0x5D, 0x7D: false
        case 0x21...0x7E: true
        default: false
        }
    }
}
