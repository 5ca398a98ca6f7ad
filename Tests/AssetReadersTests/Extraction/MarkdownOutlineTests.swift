import Assets
import Testing

@testable import AssetReaders

struct MarkdownOutlineTests {
    @Test func `a section begins at each heading, under those above it`() throws {
        let text = "before\n# One\na\n## Two ##\nb\n### Three\n## Four\n# Five\n"
        #expect(
            try outline(text) == [
                "before\n": [], "# One\na\n": ["One"], "## Two ##\nb\n": ["One", "Two"],
                "### Three\n": ["One", "Two", "Three"], "## Four\n": ["One", "Four"], "# Five\n": ["Five"],
            ])
    }

    @Test func `a line under a paragraph makes it a heading`() throws {
        let text = "One\n===\na\n\nTwo\nlines\n---\nb\n"
        #expect(
            try outline(text) == ["One\n===\na\n\n": ["One"], "Two\nlines\n---\nb\n": ["One", "Two lines"]])
    }

    @Test(arguments: [
        "```\n# no\n```\n", "~~~~ sh\n# no\n~~~\n# no\n~~~~\n", "    # no\n", "\t# no\n", "#no\n", "####### no\n",
        "text\n\n---\n\nmore\n", "---\ntitle: no\n---\n", "- item\n---\n", "> quotation\n---\n", "# \n", "#\n",
        "| a |\n---\n", "***\n---\n", "1. one\n===\n", "```\nunclosed\n# no\n", "===\n",
    ])
    func `what is no heading makes no section`(_ text: String) throws {
        #expect(try outline(text) == [text: []])
    }

    @Test(arguments: [
        "# yes", "   # yes #", "#\tyes", "# yes ##  ", "- item\n# yes", "yes\n=", "a\n\nyes\n--  ", "``` a`\n# yes",
    ])
    func `what is a heading makes one`(_ text: String) throws {
        #expect(try outline(text).last?.1 == ["yes"])
    }

    @Test func `the sections are the whole text, without gaps`() throws {
        let text = Array("# a\r# b\n\n\nc\n===\n# d".utf8)
        var end = 0
        for section in try MarkdownOutline.sections(of: text) {
            #expect(section.range.lowerBound == end)
            end = section.range.upperBound
        }
        #expect(end == text.count)
    }

    @Test func `a long heading is cut short, since each chunk tells it`() throws {
        let title = try #require(try outline("# " + String(repeating: "word ", count: 10_000)).first?.1.first)
        #expect(title.unicodeScalars.count <= 201 && title.hasSuffix("…"))
    }

    @Test func `headings beyond number are refused`() {
        #expect(throws: ExtractionFault.tooManySections) {
            try outline(String(repeating: "# a\n", count: SectionOutline.most + 1))
        }
    }

    private func outline(_ text: String) throws -> KeyValuePairs<String, [String]>.Comparable {
        let bytes = Array(text.utf8)
        return .init(
            try MarkdownOutline.sections(of: bytes).map {
                (String(decoding: bytes[$0.range], as: UTF8.self), $0.headings)
            })
    }
}

extension KeyValuePairs<String, [String]> {
    /// Sections as their text and their headings, in order.
    struct Comparable: Equatable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
        var sections: [(String, [String])]

        init(_ sections: [(String, [String])]) { self.sections = sections }

        init(dictionaryLiteral elements: (String, [String])...) { sections = elements }

        var last: (String, [String])? { sections.last }
        var first: (String, [String])? { sections.first }
        var description: String { "\(sections)" }

        static func == (left: Self, right: Self) -> Bool { left.sections.elementsEqual(right.sections, by: ==) }
    }
}
