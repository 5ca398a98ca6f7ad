import Assets
import Testing

@testable import AssetReaders

@Suite struct MarkdownSectionsTests {
    /// Each section's headings and its first line.
    private func sections(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        let sections = MarkdownSections.sections(of: bytes)
        #expect(sections.first?.range.lowerBound == 0 && sections.last?.range.upperBound == bytes.count)
        for (one, two) in zip(sections, sections.dropFirst()) {
            #expect(one.range.upperBound == two.range.lowerBound && !one.range.isEmpty)
        }
        return sections.map { section in
            let line = String(decoding: bytes[section.range], as: UTF8.self).prefix { $0 != "\n" }
            return "\(section.headings.joined(separator: " > ")) | \(line)"
        }
    }

    @Test func `a heading ends those of its level and below`() {
        let text = "before\n# A\none\n## B ##\ntwo\n### C\nthree\n## D\nfour\n# E\n"
        #expect(
            sections(text) == [
                " | before", "A | # A", "A > B | ## B ##", "A > B > C | ### C", "A > D | ## D", "E | # E",
            ])
    }

    @Test func `a line under a paragraph makes it a heading`() {
        #expect(
            sections("Title\nof two lines\n===\ntext\n\nSub\n---\nmore") == [
                "Title of two lines | Title", "Title of two lines > Sub | Sub",
            ])
    }

    @Test(arguments: [
        "```\n# not\n```\n", "~~~ sh\n# not\n```\n~~~\n", "    # not\n", "#not\n", "####### not\n", "- a\n---\n",
        "\n---\n", "| a |\n---\n", "> a\n---\n", "1. a\n---\n", "---\ntitle: a\n---\n", "", "`` `# not`\n",
    ])
    func `nothing else is a heading`(_ text: String) {
        #expect(sections(text).count == 1 && sections(text)[0].hasPrefix(" | "))
    }

    @Test func `a heading that is too long is cut between scalars`() {
        let text = "# " + String(repeating: "ä", count: 500)
        let heading = MarkdownSections.sections(of: Array(text.utf8)).last?.headings.first
        #expect(heading == String(repeating: "ä", count: 100))
    }
}
