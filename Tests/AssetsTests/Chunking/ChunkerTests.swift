import Assets
import Testing

/// What chunks promise of any text (CONTRACT-ASSETS, "Chunk").
@Suite struct ChunkerTests {
    private static let texts: [String: String] = [
        "words": (0..<400).map { "word\($0)" }.joined(separator: " "),
        "paragraphs": (0..<60).map { "Paragraph \($0). It has two sentences.\n\n" }.joined(),
        "lines": (0..<200).map { "line \($0) of a list\n" }.joined(),
        "one word": String(repeating: "a", count: 5000),
        "japanese": String(repeating: "吾輩は猫である。名前はまだ無い。", count: 80),
        "families": String(repeating: "👩‍👩‍👧‍👦", count: 200),
        "flags": String(repeating: "🇩🇪🇯🇵🇫🇷", count: 150),
        "hangul": String(repeating: "\u{1112}\u{1161}\u{11AB}", count: 400),
        "devanagari": String(repeating: "क्षत्रिय ", count: 200),
        "accents": String(repeating: "e\u{301} a\u{308}\u{301}", count: 300),
        "marks without end": "x" + String(repeating: "\u{301}", count: 3000) + " y",
        "space with a mark": String(repeating: "a \u{301}b ", count: 300),
        "blank": String(repeating: " \n\t\u{A0}\u{3000}", count: 500),
        "gaps": String(repeating: "here" + String(repeating: " ", count: 500) + "\n\n", count: 30),
        "mixed": (0..<300).map { ["tail.\n\n", "é", "z ", "。", "\n", "🇩🇪", "long-long-word"][($0 * 7919) % 7] }.joined(),
        "empty": "",
    ]
    private static let sizes = [(16, 0), (16, 7), (64, 16), (512, 64)]

    private static func isBlank(_ scalars: ArraySlice<Unicode.Scalar>) -> Bool {
        scalars.allSatisfy { $0.properties.isWhitespace }
    }

    private func chunks(_ text: String, _ size: Int, _ overlap: Int) -> [Chunk] {
        Array(Chunker(size: size, overlap: overlap).chunks(of: ExtractedText(bytes: Array(text.utf8))))
    }

    @Test(arguments: texts.keys.sorted(), sizes)
    func `chunks are pieces of the text, in order, and hold all but white space`(
        name: String, size: (Int, Int)
    ) throws {
        let text = try #require(Self.texts[name])
        let scalars = Array(text.unicodeScalars)
        let lines = [1] + scalars.reduce(into: [1]) { $0.append(($0.last ?? 1) + ($1 == "\n" ? 1 : 0)) }.dropFirst()
        var covered = 0
        var last: Chunk?
        for (index, chunk) in chunks(text, size.0, size.1).enumerated() {
            let piece = String(String.UnicodeScalarView(scalars[chunk.scalars]))
            #expect(chunk.content.utf8.elementsEqual(piece.utf8) && chunk.index == index)
            #expect(!Self.isBlank(scalars[chunk.scalars]))
            #expect(chunk.tokenCount == (piece.utf8.count + 3) / 4 && chunk.tokenCount <= size.0)
            #expect(chunk.lines == lines[chunk.scalars.lowerBound]...lines[chunk.scalars.upperBound - 1])
            let gap = scalars[min(covered, chunk.scalars.lowerBound)..<chunk.scalars.lowerBound]
            #expect(Self.isBlank(gap), "nothing is left out")
            if let last {
                #expect(chunk.scalars.lowerBound > last.scalars.lowerBound)
                #expect(chunk.scalars.upperBound > last.scalars.upperBound)
                if chunk.scalars.lowerBound < covered {
                    let shared = scalars[chunk.scalars.lowerBound..<covered]
                    #expect(String(String.UnicodeScalarView(shared)).utf8.count <= size.1 * 4)
                }
            }
            covered = chunk.scalars.upperBound
            last = chunk
        }
        #expect(Self.isBlank(scalars[covered...]))
    }

    @Test(arguments: texts.keys.filter { $0 != "marks without end" }.sorted(), sizes)
    func `no chunk begins or ends within a grapheme`(name: String, size: (Int, Int)) throws {
        let text = try #require(Self.texts[name])
        var borders: Set<Int> = []
        var count = 0
        for character in text {
            borders.insert(count)
            count += character.unicodeScalars.count
        }
        borders.insert(count)
        for chunk in chunks(text, size.0, size.1) {
            #expect(borders.contains(chunk.scalars.lowerBound) && borders.contains(chunk.scalars.upperBound))
        }
    }

    @Test func `a chunk ends at a paragraph before a line, a sentence or a word`() {
        func first(_ text: String) -> String? { chunks(text, 16, 0).first?.content }
        let tail = String(repeating: "x", count: 80)
        #expect(first("One two.\n\nThree.\nFour. Five \(tail)") == "One two.")
        #expect(first("One two.\nThree. Four five \(tail)") == "One two.")
        #expect(first("One two. Three four \(tail)") == "One two.")
        #expect(first("One “two.” Three four \(tail)") == "One “two.”")
        #expect(first("One two three four \(tail)") == "One two three four")
        #expect(first(tail) == String(repeating: "x", count: 64))
    }

    @Test func `what is shared begins at a word`() {
        let chunks = chunks((0..<40).map { "word\($0)" }.joined(separator: " "), 16, 4)
        #expect(chunks.count > 3)
        for (one, two) in zip(chunks, chunks.dropFirst()) {
            #expect(two.scalars.lowerBound < one.scalars.upperBound && two.content.hasPrefix("word"))
        }
    }

    @Test func `no chunk reaches across a section, and each tells its headings and page`() {
        let text = "# A\none\n## B\ntwo\n"
        let bytes = Array(text.utf8)
        let sections: [ExtractedText.Section] = [
            .init(range: 0..<8, headings: ["A"]), .init(range: 8..<bytes.count, headings: ["A", "B"], page: 2),
        ]
        let chunks = Array(
            Chunker(size: 512, overlap: 64).chunks(of: ExtractedText(bytes: bytes, sections: sections)))
        #expect(chunks.map(\.content) == ["# A\none", "## B\ntwo"])
        #expect(chunks.map(\.headingPath) == ["A", "A > B"] && chunks.map(\.page) == [nil, 2])
        #expect(chunks.map(\.lines) == [1...2, 3...4] && chunks.map(\.scalars) == [0..<7, 8..<16])
    }

    @Test func `bytes that are no text are cut all the same`() {
        let bytes = (0..<4000).map { UInt8(truncatingIfNeeded: ($0 * 7919) % 251) }
        let count = Chunker(size: 16, overlap: 7).chunks(of: ExtractedText(bytes: bytes)).reduce(0) { count, _ in
            count + 1
        }
        #expect(count > 60)
    }
}
