import Formats
import Testing

@testable import AssetReaders

@Suite struct NotionMarkdownTests {
    private static func block(_ type: String, _ own: String, _ children: [NotionBlock] = []) -> NotionBlock? {
        let json = #"{"id": "x", "type": "\#(type)", "has_children": true, "\#(type)": {\#(own)}}"#
        guard let value = JSONValue(json: Array(json.utf8)), var block = NotionBlock(value) else { return nil }
        block.children = children
        return block
    }

    private static func text(_ type: String, _ text: String, _ children: [NotionBlock?] = [], more: String = "")
        -> NotionBlock?
    {
        block(type, #""rich_text": [{"plain_text": "\#(text)"}]\#(more)"#, children.compactMap { $0 })
    }

    private static func markdown(_ blocks: NotionBlock?...) -> String {
        NotionMarkdown.text(of: blocks.compactMap { $0 })
    }

    private static func run(_ run: String) -> String {
        JSONValue(json: Array("[\(run)]".utf8)).map { NotionText.markdown($0) } ?? "no JSON"
    }

    @Test func `headings and paragraphs stand apart`() {
        let text = Self.markdown(
            Self.text("heading_1", "One"), Self.text("paragraph", "a\\nb"), Self.text("heading_2", "Two\\nlines"),
            Self.text("heading_3", "Three"), Self.text("paragraph", ""), Self.text("paragraph", "c"))
        #expect(text == "# One\n\na\nb\n\n## Two lines\n\n### Three\n\nc\n")
    }

    @Test func `items of a list stand below one another, with what is in them within`() {
        let text = Self.markdown(
            Self.text("paragraph", "List:"),
            Self.text(
                "bulleted_list_item", "a",
                [
                    Self.text("bulleted_list_item", "b", [Self.text("paragraph", "text\\nmore")])
                ]),
            Self.text("bulleted_list_item", "c\\nd"), Self.text("numbered_list_item", "one"),
            Self.text("numbered_list_item", "two"), Self.text("to_do", "open", more: #", "checked": false"#),
            Self.text("to_do", "done", more: #", "checked": true"#), Self.text("numbered_list_item", "one again"))
        #expect(
            text == """
                List:

                - a
                  - b

                    text
                    more
                - c
                  d
                1. one
                2. two
                - [ ] open
                - [x] done
                1. one again

                """)
    }

    @Test func `quotes and callouts hold what is in them`() {
        let text = Self.markdown(
            Self.text("quote", "a\\nb", [Self.text("paragraph", "c")]), Self.text("callout", "d"))
        #expect(text == "> a\n> b\n> \n> c\n\n> d\n")
    }

    @Test func `a fence is longer than any in the code`() {
        let text = Self.markdown(
            Self.text("code", "let a\\n````\\n# no", more: #", "language": "swift""#),
            Self.text("code", "x", more: #", "language": "plain text""#))
        #expect(text == "`````swift\nlet a\n````\n# no\n`````\n\n```\nx\n```\n")
    }

    @Test func `a table has its first row as head`() {
        func row(_ cells: String...) -> NotionBlock? {
            let cells = cells.map { #"[{"plain_text": "\#($0)"}]"# }
            return Self.block("table_row", #""cells": [\#(cells.joined(separator: ", "))]"#)
        }
        let rows = [row("a", "b|c"), row("1\\n2", "")].compactMap { $0 }
        #expect(
            Self.markdown(Self.block("table", "", rows)) == "| a | b\\|c |\n| --- | --- |\n| 1 2 |  |\n")
    }

    @Test func `other blocks become what is readable of them`() {
        let text = Self.markdown(
            Self.block("equation", #""expression": "a^2""#), Self.block("divider", ""),
            Self.text("toggle", "More", [Self.text("paragraph", "inside")]),
            Self.block(
                "column_list", "",
                [Self.block("column", "", [Self.text("paragraph", "left")].compactMap { $0 })].compactMap { $0 }),
            Self.block("bookmark", #""url": "https://b.example/(x)", "caption": []"#),
            Self.block("image", #""external": {"url": "https://b.example/i"}, "caption": [{"plain_text": "Picture"}]"#),
            Self.block("file", #""file": {"url": "https://signed.example/?sig=1"}, "name": "report.pdf""#),
            Self.block("table_of_contents", ""), Self.block("some_new_block", #""x": 1"#))
        #expect(
            text == """
                $$
                a^2
                $$

                ---

                More

                inside

                left

                [https://b.example/(x)](https://b.example/%28x%29)

                [Picture](https://b.example/i)

                report.pdf

                """)
    }

    @Test func `a text that only looks like a heading is none`() {
        let text = Self.markdown(
            Self.text("paragraph", "# a\\n=== \\n---\\n```x\\n~~~\\n-- x"), Self.text("bulleted_list_item", "# b"))
        #expect(text == "\\# a\n\\=== \n\\---\n\\```x\n\\~~~\n-- x\n\n- \\# b\n")
    }

    @Test(arguments: [
        (#"{"plain_text": "a"}"#, "a"), (#"{"plain_text": " a ", "annotations": {"bold": true}}"#, " **a** "),
        (#"{"plain_text": "a", "annotations": {"italic": true, "strikethrough": true}}"#, "~~*a*~~"),
        (
            #"{"plain_text": "a", "annotations": {"code": true}, "href": "https://b.example/"}"#,
            "[`a`](https://b.example/)"
        ),
        (#"{"plain_text": "a", "href": "/page"}"#, "a"), (#"{"plain_text": "a", "href": "javascript:x"}"#, "a"),
        (#"{"plain_text": "a", "href": "https://b.example/x y"}"#, "[a](https://b.example/x%20y)"),
        (#"{"type": "equation", "equation": {"expression": "x"}, "plain_text": "x"}"#, "$x$"),
        (#"{"text": {"content": "b"}}"#, "b"), (#"{"plain_text": "  ", "annotations": {"bold": true}}"#, "  "),
        (#"{"plain_text": "a"}, {"plain_text": "b"}, null, 1"#, "ab"), (#"{"plain_text": 1}"#, ""),
    ])
    func `a run of text has its marks and its link`(_ run: String, _ expected: String) {
        #expect(Self.run(run) == expected)
    }

    @Test func `nothing is nothing`() {
        #expect(Self.markdown() == "")
        #expect(Self.markdown(Self.text("paragraph", "")) == "")
    }
}
