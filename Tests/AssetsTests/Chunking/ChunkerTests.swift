import Assets
import TestSupport
import Testing

struct ChunkerTests {
    @Test func `a text that fits is one chunk`() throws {
        let chunk = try #require(chunks("\n  Zwölf Boxkämpfer\njagen Viktor. \n").first)
        #expect(
            chunk
                == Chunk(
                    index: 0, content: "Zwölf Boxkämpfer\njagen Viktor.", headingPath: nil, page: nil, scalars: 3..<33,
                    lines: 2...3, tokenCount: 8))
    }

    @Test(arguments: ["", " ", "\n\n\t \u{A0}\u{3000}\u{2029}", String(repeating: " \n", count: 10_000)])
    func `white space is no chunk`(_ text: String) {
        #expect(chunks(text).isEmpty)
    }

    @Test func `a chunk ends at a paragraph where it can`() {
        let text = "First one. Still it.\nA line.\n \nSecond. " + words(100)
        #expect(chunks(text, overlap: 0).first?.content == "First one. Still it.\nA line.")
    }

    @Test func `a chunk ends at a line where no paragraph does`() {
        #expect(
            chunks("First one. Still it.\nA line. " + words(100), overlap: 0).first?.content == "First one. Still it.")
    }

    @Test(arguments: ["First one. And 3.14 of", "First (\"one.\") And", "第一。第二", "「第一。」第二"])
    func `a chunk ends at a sentence where no line does`(_ text: String) {
        let sentence = text.contains("二") ? text.dropLast(2) : text.prefix { $0 != "A" }.dropLast(1)
        let long = text + (text.contains("二") ? String(repeating: "字", count: 100) : " " + words(100))
        #expect(chunks(long, overlap: 0).first?.content == String(sentence))
    }

    @Test func `a chunk ends at a word where no sentence does`() {
        let text = words(100)
        for chunk in chunks(text, overlap: 0).dropLast() {
            #expect(chunk.content.hasPrefix("word") && chunk.content.hasSuffix("word"))
            #expect(chunk.tokenCount > 13)
        }
    }

    @Test func `a word that is too long is cut where the size ends`() {
        let text = String(repeating: "x", count: 150)
        #expect(chunks(text, overlap: 0).map(\.content.count) == [64, 64, 22])
    }

    @Test func `a character of several scalars is not cut`() {
        let family = "👨‍👩‍👧‍👦"
        let contents = chunks(String(repeating: family, count: 10), overlap: 0).map(\.content)
        #expect(contents == Array(repeating: family + family, count: 5))
    }

    /// The size is what a model can take, so that it comes before the character.
    @Test func `a character that is longer than a chunk is cut between scalars, and nothing else is`() {
        let monster = "e" + String(repeating: "\u{301}", count: 100)
        let chunks = chunks("abc " + monster + " def")
        #expect(chunks.map(\.content).joined().unicodeScalars.elementsEqual(("abc" + monster + " def").unicodeScalars))
        #expect(chunks.allSatisfy { $0.tokenCount <= 16 })
        #expect(chunks.first?.content == "abc")
    }

    @Test func `a chunk begins with the end of the one before`() {
        let text = (0..<40).map { "Sentence number \($0). " }.joined()
        let chunks = chunks(text, overlap: 7)
        for (former, latter) in zip(chunks, chunks.dropFirst()) {
            #expect(latter.scalars.lowerBound < former.scalars.upperBound)
            #expect(latter.content.hasPrefix("Sentence"))
        }
    }

    @Test func `a chunk does not reach across the border of a section`() {
        let text = ExtractedText(
            bytes: Array("one\ntwo\nthree".utf8),
            sections: [
                .init(range: 0..<4, headings: []), .init(range: 4..<8, headings: ["A", "B"]),
                .init(range: 8..<13, headings: ["C"], page: 7),
            ])
        let chunks = Array(Chunker(size: 16, overlap: 7).chunks(of: text))
        #expect(chunks.map(\.content) == ["one", "two", "three"])
        #expect(chunks.map(\.headingPath) == [nil, "A > B", "C"])
        #expect(chunks.map(\.page) == [nil, nil, 7])
        #expect(chunks.map(\.lines) == [1...1, 2...2, 3...3])
        #expect(chunks.map(\.index) == [0, 1, 2])
    }

    @Test func `one long line without spaces is cut in linear time`() {
        let text = ExtractedText(bytes: [UInt8](repeating: 0x78, count: 5_000_000))
        var end = 0
        for chunk in Chunker(size: 512, overlap: 0).chunks(of: text) {
            #expect(chunk.scalars.lowerBound == end)
            end = chunk.scalars.upperBound
        }
        #expect(end == 5_000_000)
    }

    @Test func `marks without end are cut in linear time`() {
        let text = ExtractedText(bytes: Array(("e" + String(repeating: "\u{301}", count: 500_000)).utf8))
        var count = 0
        for chunk in Chunker(size: 512, overlap: 100).chunks(of: text) { count += chunk.scalars.count }
        #expect(count == 500_001)
    }

    @Test func `a long run of white space between words is passed over`() {
        let gap = String(repeating: " ", count: 1_000_000)
        #expect(chunks("one" + gap + "two" + gap + "\n\n\n" + gap + "three").map(\.content) == ["one", "two", "three"])
    }

    @Test func `bytes that are no text are cut all the same`() {
        var generator = Generator(seed: 1)
        let text = ExtractedText(bytes: (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
        for chunk in Chunker(size: 16, overlap: 7).chunks(of: text) { #expect(!chunk.content.isEmpty) }
    }

    private func words(_ count: Int) -> String { Array(repeating: "word", count: count).joined(separator: " ") }

    private func chunks(_ text: String, size: Int = 16, overlap: Int = 7) -> [Chunk] {
        Array(Chunker(size: size, overlap: overlap).chunks(of: ExtractedText(bytes: Array(text.utf8))))
    }
}
