/// Cuts text into chunks: at a paragraph's end where there is one, else at a line's, a sentence's, a word's, and only then
/// within a word.
///
/// One pass over the bytes, with bounded looks back: its time is linear whatever the text is.
public struct Chunker: Sendable {
    /// In bytes: four for each token.
    private let mostBytes: Int
    private let mostShared: Int

    /// - Parameters:
    ///   - size: the most tokens of a chunk, at least 16.
    ///   - overlap: the most tokens that a chunk shares with the one before, less than half of `size`.
    public init(size: Int, overlap: Int) {
        mostBytes = max(size, 16) * Self.bytesPerToken
        mostShared = max(0, min(overlap * Self.bytesPerToken, mostBytes / 2 - 1))
    }

    /// The chunks of a text, made one by one as they are asked for.
    public func chunks(of text: ExtractedText) -> Chunks {
        Chunks(text, mostBytes: mostBytes, mostShared: mostShared)
    }

    private static let bytesPerToken = 4

    /// The tokens of so many bytes of UTF-8: a quarter, rounded up.
    public static func tokens(ofBytes count: Int) -> Int { (count + bytesPerToken - 1) / bytesPerToken }
}

/// The chunks of one text, in order.
public struct Chunks: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private let sections: [ExtractedText.Section]
    private let mostBytes: Int
    private let mostShared: Int
    /// The section that the next chunk is in.
    private var section = 0
    /// The end of the last chunk of the section, and the place where the next one may begin.
    private var end = 0
    private var start = 0
    private var place = TextPlace()
    private var index = 0

    fileprivate init(_ text: ExtractedText, mostBytes: Int, mostShared: Int) {
        bytes = text.bytes
        sections = text.sections
        self.mostBytes = mostBytes
        self.mostShared = mostShared
        if let first = sections.first { (start, end) = (first.range.lowerBound, first.range.lowerBound) }
    }

    /// The next chunk; `nil` at the end of the text.
    public mutating func next() -> Chunk? {
        while section < sections.count {
            let current = sections[section]
            if let range = nextRange(in: current.range) { return chunk(range, in: current) }
            section += 1
            if section < sections.count {
                (start, end) = (sections[section].range.lowerBound, sections[section].range.lowerBound)
            }
        }
        return nil
    }

    /// The bytes of the next chunk; `nil` where only white space is left of the section.
    private mutating func nextRange(in whole: Range<Int>) -> Range<Int>? {
        let text = TextBoundaries(bytes, whole)
        let new = text.skippingSpace(from: end)
        guard new < whole.upperBound else { return nil }
        var first = text.skippingSpace(from: start)
        // Nothing is shared across more white space than a chunk holds.
        if first + mostBytes < new + Scalar.mostBytes { first = new }
        end = text.lastBreak(after: Swift.max(new, first), upTo: first + mostBytes)
        let trimmed = text.trimmingSpace(before: end, downTo: first)
        let range = first..<(trimmed > first ? trimmed : end)
        start = text.sharedStart(of: range, atMost: mostShared)
        return range
    }

    private mutating func chunk(_ range: Range<Int>, in section: ExtractedText.Section) -> Chunk {
        place.advance(to: range.lowerBound, in: bytes)
        var last = place
        last.advance(to: range.upperBound, in: bytes)
        defer { index += 1 }
        return Chunk(
            index: index, content: String(decoding: bytes[range], as: UTF8.self),
            headingPath: section.headings.isEmpty ? nil : section.headings.joined(separator: " > "), page: section.page,
            scalars: place.scalar..<last.scalar, lines: place.line...last.line,
            tokenCount: Chunker.tokens(ofBytes: range.count))
    }
}

/// A place in a text, as people and programs count.
private struct TextPlace {
    var byte = 0
    /// From 0.
    var scalar = 0
    /// From 1.
    var line = 1

    mutating func advance(to target: Int, in bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { bytes in
            while byte < target {
                // All but the continuation bytes begin a scalar (RFC 3629 § 3).
                if bytes[byte] & 0xC0 != 0x80 { scalar += 1 }
                if bytes[byte] == 0x0A { line += 1 }
                byte += 1
            }
        }
    }
}
