/// The places of a text at which a chunk may begin and end.
struct TextBoundaries {
    private let bytes: [UInt8]
    private let whole: Range<Int>

    init(_ bytes: [UInt8], _ whole: Range<Int>) {
        self.bytes = bytes
        self.whole = whole
    }

    // MARK: white space

    /// The first place from `position` on that is not white space. A space that a mark stands upon is not passed over:
    /// the two are one grapheme.
    func skippingSpace(from position: Int) -> Int {
        var place = position
        while place < whole.upperBound, let length = spaceLength(at: place) {
            let next = place + length
            if next < whole.upperBound, !GraphemeBreak.isAllowed(at: next, in: bytes, whole) { break }
            place = next
        }
        return place
    }

    /// The place behind the last character before `position` that is not white space.
    func trimmingSpace(before position: Int, downTo lowest: Int) -> Int {
        var place = position
        while place > lowest {
            let last = Scalar.start(before: place, in: bytes, lowest)
            guard let length = spaceLength(at: last), last + length == place else { break }
            place = last
        }
        return place
    }

    private func spaceLength(at place: Int) -> Int? {
        let byte = bytes[place]
        if byte == 0x20 || (0x09...0x0D).contains(byte) || (0x1C...0x1F).contains(byte) { return 1 }
        guard byte >= 0xC2 else { return nil }
        let (scalar, length) = Scalar.at(place, in: bytes, whole.upperBound)
        return scalar.properties.isWhitespace ? length : nil
    }

    // MARK: ends

    /// The best end of a chunk behind `lowest`, and at `highest` at most: of the best kind that there is, the last one.
    func lastBreak(after lowest: Int, upTo highest: Int) -> Int {
        guard highest < whole.upperBound else { return whole.upperBound }
        var line: Int?
        var sentence: Int?
        var word: Int?
        var place = highest
        while place > lowest {
            if bytes[place] == 0x0A {
                if isParagraphEnd(place) { return place }
                line = line ?? place
            } else if line == nil, sentence == nil, bytes[place] & 0xC0 != 0x80 {
                if isSentenceEnd(place) {
                    sentence = place
                } else if word == nil, isSpace(place), isAllowed(place) {
                    word = place
                }
            }
            place -= 1
        }
        return line ?? sentence ?? word ?? lastGrapheme(after: lowest, upTo: highest)
    }

    /// A line's end with an empty line behind or before it.
    private func isParagraphEnd(_ place: Int) -> Bool {
        isBlank(place + 1, step: 1) || isBlank(place - 1, step: -1)
    }

    private func isBlank(_ place: Int, step: Int) -> Bool {
        var place = place
        // Longer blank lines count as text, so that a look costs no more than that.
        for _ in 0..<64 {
            guard whole.contains(place) else { return false }
            if bytes[place] == 0x0A { return true }
            guard bytes[place] == 0x20 || bytes[place] == 0x09 else { return false }
            place += step
        }
        return false
    }

    /// Behind a sentence's mark and what closes it: at white space, or anywhere in scripts that have none.
    private func isSentenceEnd(_ place: Int) -> Bool {
        var before = place
        for _ in 0..<4 {
            guard before > whole.lowerBound else { return false }
            let start = Scalar.start(before: before, in: bytes, whole.lowerBound)
            let scalar = Scalar.at(start, in: bytes, whole.upperBound).scalar
            if Self.wideMarks.contains(scalar.value) { return isAllowed(place) }
            if Self.marks.contains(scalar.value) { return isSpace(place) && isAllowed(place) }
            guard Self.closing.contains(scalar.value) else { return false }
            before = start
        }
        return false
    }

    /// `.`, `!`, `?`, `…`
    private static let marks: Set<UInt32> = [0x2E, 0x21, 0x3F, 0x2026]
    /// `。`, `！`, `？`, `｡`, `।`
    private static let wideMarks: Set<UInt32> = [0x3002, 0xFF01, 0xFF1F, 0xFF61, 0x0964]
    /// Quotation marks and brackets.
    private static let closing: Set<UInt32> = [0x22, 0x27, 0x29, 0x5D, 0x2019, 0x201D, 0xBB, 0x300D, 0x300F]

    private func isSpace(_ place: Int) -> Bool { spaceLength(at: place) != nil }

    private func isAllowed(_ place: Int) -> Bool { GraphemeBreak.isAllowed(at: place, in: bytes, whole) }

    /// The last border of graphemes; where one grapheme is longer than a chunk may be, one of its scalars.
    private func lastGrapheme(after lowest: Int, upTo highest: Int) -> Int {
        var place = highest
        var scalar: Int?
        while place > lowest {
            if bytes[place] & 0xC0 != 0x80 {
                if isAllowed(place) { return place }
                scalar = scalar ?? place
            }
            place -= 1
        }
        return scalar ?? highest
    }

    // MARK: beginnings

    /// The place where a chunk begins that shares the end of `chunk`: at a word, or at a grapheme where there is none.
    func sharedStart(of chunk: Range<Int>, atMost most: Int) -> Int {
        guard most > 0 else { return chunk.upperBound }
        let earliest = max(chunk.upperBound - most, chunk.lowerBound + 1)
        var grapheme: Int?
        for place in earliest..<max(earliest, chunk.upperBound) where bytes[place] & 0xC0 != 0x80 {
            guard isAllowed(place), !isSpace(place) else { continue }
            if isSpace(Scalar.start(before: place, in: bytes, whole.lowerBound)) { return place }
            grapheme = grapheme ?? place
        }
        return grapheme ?? chunk.upperBound
    }
}

/// Scalars of text in UTF-8. Bytes that are none read as U+FFFD, one by one.
enum Scalar {
    /// RFC 3629 § 3.
    static let mostBytes = 4

    private static let replacement = (scalar: Unicode.Scalar(0xFFFD as UInt16) ?? " ", length: 1)

    static func at(_ place: Int, in bytes: [UInt8], _ upper: Int) -> (scalar: Unicode.Scalar, length: Int) {
        let first = bytes[place]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, place + length <= upper else { return replacement }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            guard bytes[place + offset] & 0xC0 == 0x80 else { return replacement }
            value = value << 6 | UInt32(bytes[place + offset] & 0x3F)
        }
        return Unicode.Scalar(value).map { ($0, length) } ?? replacement
    }

    static func start(before place: Int, in bytes: [UInt8], _ lowest: Int) -> Int {
        var start = place - 1
        while start > lowest, start > place - 4, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }
}
