import Assets

/// Finds the headings of a Markdown text (CommonMark 0.31 § 4.2, § 4.3), in one pass over its lines.
///
/// Headings within quotations, lists and fenced code make no sections; nor do lines of the front matter, which other
/// tools put ahead of a text. Raw HTML is not looked into.
struct MarkdownOutline {
    private var outline = SectionOutline()
    private var fence: MarkdownLine.Fence?
    /// The first line of the paragraph that goes on here; a line of `===` or `---` makes it a heading.
    private var paragraphStart: Int?
    /// In a quotation, list or table, whose lines make no heading until an empty line.
    private var isInContainer = false

    static func sections(of text: [UInt8]) throws(ExtractionFault) -> [ExtractedText.Section] {
        var reader = MarkdownOutline()
        var position = FrontMatter.end(in: text)
        while position < text.count {
            let end = text.firstPlace(of: 0x0A, from: position) ?? text.count
            try reader.read(MarkdownLine(text[position..<end]), in: text)
            position = end + 1
        }
        return reader.outline.finish(at: text.count)
    }

    private mutating func read(_ line: MarkdownLine, in text: [UInt8]) throws(ExtractionFault) {
        if let fence {
            if line.closes(fence) { self.fence = nil }
            return
        }
        if line.isBlank {
            endParagraph()
        } else if let opened = line.openedFence {
            fence = opened
            endParagraph()
        } else if let heading = line.heading {
            endParagraph()
            if let title = HeadingText.clean(heading.title) {
                try outline.begin(title, level: heading.level, at: line.start)
            }
        } else if let level = line.underline, let start = paragraphStart {
            endParagraph()
            if let title = HeadingText.clean(text[start..<line.start]) {
                try outline.begin(title, level: level, at: start)
            }
        } else if line.isThematicBreak {
            endParagraph()
        } else {
            goOn(with: line)
        }
    }

    private mutating func goOn(with line: MarkdownLine) {
        if line.beginsContainer {
            isInContainer = true
            paragraphStart = nil
        } else if paragraphStart == nil, !isInContainer, !line.isIndentedCode {
            paragraphStart = line.start
        }
    }

    private mutating func endParagraph() {
        paragraphStart = nil
        isInContainer = false
    }
}
