import Assets
import TestSupport
import Testing

/// Checks the rules of chunks on texts that are made at random, by other means than those that cut them.
struct ChunkRulesTests {
    static let alphabets: [[String]] = [
        ["word", "a", " ", " ", "\n", "\n\n", ".", ". ", "long-winded-nonsense"],
        ["字", "漢", "。", "、", "「", "」", "\n"],
        ["👨‍👩‍👧‍👦", "👍🏽", "🇩🇪", "🇩", "e\u{301}", "\u{301}", "\u{200D}", " ", "\u{A0}", "\u{3000}", "\u{301}"],
        ["क्षि", "ก็", "각", "ᄀ", "ᅡ", "\u{600}", "1", ".", " ", "\u{2028}", "\u{2029}", "\u{85}", "\t"],
        ["x"],
        [" ", "\n", "\u{2003}", "y"],
        ["a", "\n \n", "(b)", "?", "\" ", "! "],
    ]

    @Test(arguments: alphabets.indices, [(16, 0), (16, 7), (33, 16), (512, 64)])
    func `the rules of chunks hold`(_ alphabet: Int, _ limits: (size: Int, overlap: Int)) {
        var generator = Generator(seed: UInt64(alphabet))
        for length in [1, 2, 5, 50, 400, 1500] {
            let pieces = (0..<length).compactMap { _ in Self.alphabets[alphabet].randomElement(using: &generator) }
            let text = CheckedText(pieces, sectionLengths: [length / 3, length / 5], limits)
            text.check()
        }
    }
}

/// A text with its chunks.
private struct CheckedText {
    let scalars: [Unicode.Scalar]
    /// In scalars.
    let sections: [Range<Int>]
    /// The places between characters, in scalars.
    let borders: Set<Int>
    let chunks: [Chunk]
    let limits: (size: Int, overlap: Int)

    init(_ pieces: [String], sectionLengths: [Int], _ limits: (size: Int, overlap: Int)) {
        var sections: [(bytes: Range<Int>, scalars: Range<Int>, text: String)] = []
        var left = pieces[...]
        for length in sectionLengths + [pieces.count] where !left.isEmpty {
            let text = left.prefix(length).joined() + "\n"
            left = left.dropFirst(length)
            let (bytes, scalars) = (sections.last?.bytes.upperBound ?? 0, sections.last?.scalars.upperBound ?? 0)
            sections.append(
                (bytes..<bytes + text.utf8.count, scalars..<scalars + text.unicodeScalars.count, text))
        }
        let text = sections.map(\.text).joined()
        scalars = Array(text.unicodeScalars)
        self.sections = sections.map(\.scalars)
        var borders: Set<Int> = [0]
        var count = 0
        for character in text {
            count += character.unicodeScalars.count
            borders.insert(count)
        }
        self.borders = borders
        self.limits = limits
        chunks = Array(
            Chunker(size: limits.size, overlap: limits.overlap).chunks(
                of: ExtractedText(bytes: Array(text.utf8), sections: sections.map { .init(range: $0.bytes) })))
    }

    func check() {
        for (index, chunk) in chunks.enumerated() {
            #expect(chunk.index == index)
            checkContent(chunk)
            checkBorders(chunk)
        }
        for (former, latter) in zip(chunks, chunks.dropFirst()) { checkOrder(former, latter) }
        checkCoverage()
    }

    private func checkContent(_ chunk: Chunk) {
        #expect(chunk.content.unicodeScalars.elementsEqual(scalars[chunk.scalars]))
        #expect(chunk.tokenCount == (chunk.content.utf8.count + 3) / 4)
        #expect(chunk.tokenCount <= limits.size)
        #expect(chunk.content.unicodeScalars.contains { !$0.properties.isWhitespace })
        let firstLine = scalars[..<chunk.scalars.lowerBound].count { $0 == "\n" } + 1
        let lastLine = scalars[..<(chunk.scalars.upperBound - 1)].count { $0 == "\n" } + 1
        #expect(chunk.lines == firstLine...lastLine)
    }

    private func checkBorders(_ chunk: Chunk) {
        #expect(
            sections.contains { $0.contains(chunk.scalars.lowerBound) && $0.upperBound >= chunk.scalars.upperBound })
        #expect(borders.contains(chunk.scalars.lowerBound))
        #expect(borders.contains(chunk.scalars.upperBound))
    }

    private func checkOrder(_ former: Chunk, _ latter: Chunk) {
        #expect(former.scalars.lowerBound < latter.scalars.lowerBound)
        #expect(former.scalars.upperBound < latter.scalars.upperBound)
        if latter.scalars.lowerBound < former.scalars.upperBound {
            let shared = scalars[latter.scalars.lowerBound..<former.scalars.upperBound]
            #expect(String(String.UnicodeScalarView(shared)).utf8.count <= limits.overlap * 4)
        }
        let between = scalars[former.scalars.upperBound..<max(former.scalars.upperBound, latter.scalars.lowerBound)]
        #expect(between.allSatisfy { $0.properties.isWhitespace })
        // Where it does not end at a line or paragraph, what it has beyond the one before has none.
        let end = former.scalars.upperBound
        guard !scalars[end...].prefix(while: { $0.properties.isWhitespace }).contains(where: \.isLineEnd) else {
            return
        }
        let new = max(former.scalars.lowerBound, chunks[..<former.index].last?.scalars.upperBound ?? 0)..<end
        let text = scalars[new].drop { $0.properties.isWhitespace }
        #expect(!text.contains { $0.isLineEnd })
        guard end < scalars.count, !scalars[end].properties.isWhitespace else { return }
        let characters = String(String.UnicodeScalarView(text))
        #expect(!characters.contains { $0.isWhitespace && $0.unicodeScalars.count == 1 })
    }

    private func checkCoverage() {
        var covered = [Bool](repeating: false, count: scalars.count)
        for chunk in chunks { for place in chunk.scalars { covered[place] = true } }
        for (place, isCovered) in covered.enumerated() where !isCovered {
            #expect(scalars[place].properties.isWhitespace)
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isLineEnd: Bool { self == "\n" || self == "\u{85}" || self == "\u{2028}" || self == "\u{2029}" }
}
