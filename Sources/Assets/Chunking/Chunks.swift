/// The chunks of a text, in order.
///
/// Each is found by reading on from its beginning as far as its size goes. Since an overlap is less than half of a chunk
/// and at most four short chunks follow one another, before a long paragraph, line, sentence and word, the time grows
/// with the text's length alone.
public struct Chunks: Sequence, IteratorProtocol {
    private let text: ExtractedText
    private let chunker: Chunker
    private var nextIndex = 0
    private var nextSection = 0
    /// The part of the section's bytes that is still to be cut; `nil` before a section.
    private var rest: Rest?
    /// The beginning and the end of the last chunk.
    private var (place, endPlace) = (TextPlace(), TextPlace())

    private struct Rest {
        /// The beginning of the next chunk.
        var start: Int
        /// The first character that is in no chunk yet; beyond `start` by the overlap.
        var firstNew: Int
        var sectionEnd: Int

        /// Takes the next chunk; `nil` where there is only white space left.
        mutating func take(by scan: ChunkScan) -> Range<Int>? {
            guard let firstNew = scan.firstVisible(from: firstNew) else { return nil }
            var start = start < self.firstNew ? start : firstNew
            var end = scan.end(from: start, beyond: firstNew)
            if end == nil {
                // The next character needs the room that the overlap takes.
                start = firstNew
                end = scan.end(from: start, beyond: firstNew)
            }
            guard let end else { return nil }
            self.firstNew = end
            self.start = scan.overlapStart(of: start..<end) ?? end
            return start..<end
        }
    }

    init(of text: ExtractedText, by chunker: Chunker) {
        self.text = text
        self.chunker = chunker
    }

    public mutating func next() -> Chunk? {
        while true {
            if rest == nil, !beginSection() { return nil }
            guard let cut = cut() else {
                rest = nil
                continue
            }
            return chunk(cut)
        }
    }

    /// Goes to the next section; `false` after the last.
    private mutating func beginSection() -> Bool {
        guard nextSection < text.sections.count else { return false }
        let range = text.sections[nextSection].range.clamped(
            to: place.position..<Swift.max(place.position, text.bytes.count))
        nextSection += 1
        rest = Rest(start: range.lowerBound, firstNew: range.lowerBound, sectionEnd: range.upperBound)
        return true
    }

    /// The bytes of the next chunk, and readies the one after; `nil` where there is only white space left.
    private mutating func cut() -> Range<Int>? {
        guard var rest else { return nil }
        let range = text.bytes.withUnsafeBufferPointer { bytes in
            rest.take(by: ChunkScan(bytes, sectionEnd: rest.sectionEnd, chunker: chunker))
        }
        self.rest = rest
        return range
    }

    private mutating func chunk(_ range: Range<Int>) -> Chunk {
        // Where nothing is shared, the text up to here was counted with the chunk before.
        if range.lowerBound >= endPlace.position { place = endPlace }
        place.move(to: range.lowerBound, in: text.bytes)
        endPlace = place
        endPlace.move(to: range.upperBound, in: text.bytes)
        let section = text.sections[nextSection - 1]
        defer { nextIndex += 1 }
        return Chunk(
            index: nextIndex, content: String(decoding: text.bytes[range], as: UTF8.self),
            headingPath: section.headings.isEmpty ? nil : section.headings.joined(separator: " > "),
            page: section.page, scalars: place.scalar..<endPlace.scalar, lines: place.line...endPlace.line,
            tokenCount: Chunker.tokens(ofBytes: range.count))
    }
}

/// A place in a text, in the units of a chunk's positions. It moves forward only.
struct TextPlace {
    private(set) var position = 0
    /// From 0.
    private(set) var scalar = 0
    /// From 1.
    private(set) var line = 1

    mutating func move(to target: Int, in bytes: [UInt8]) {
        guard position < target else { return }
        let (scalars, lineEnds) = bytes.withUnsafeBufferPointer { bytes in
            let part = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[position..<target])
            var (scalars, lineEnds, place) = (part.count, 0, 0)
            // Eight bytes at a time. A byte that goes on with a scalar has its two highest bits 10.
            let (lowBits, highBits): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
            while place + 8 <= part.count {
                let word = part.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                scalars -= (word & ~(word << 1) & highBits).nonzeroBitCount
                let difference = word ^ (0x0A * lowBits)
                lineEnds += (~(((difference & ~highBits) &+ ~highBits) | difference) & highBits).nonzeroBitCount
                place += 8
            }
            while place < part.count {
                scalars -= part[place] & 0xC0 == 0x80 ? 1 : 0
                lineEnds += part[place] == 0x0A ? 1 : 0
                place += 1
            }
            return (scalars, lineEnds)
        }
        position = target
        scalar += scalars
        line += lineEnds
    }
}
