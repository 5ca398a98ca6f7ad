import Formats

/// Writes blocks as Markdown (CommonMark, and GitHub's tables and task lists).
struct NotionMarkdown: Sendable {
    private var lines: [String] = []

    /// The text of a page.
    static func text(of blocks: [NotionBlock]) -> String {
        var writer = NotionMarkdown()
        writer.write(blocks)
        while writer.lines.last?.isEmpty == true { writer.lines.removeLast() }
        return writer.lines.isEmpty ? "" : writer.lines.joined(separator: "\n") + "\n"
    }

    private mutating func write(_ blocks: [NotionBlock]) {
        var number = 0
        for block in blocks {
            if case .number = block.kind { number += 1 } else { number = 0 }
            if !block.kind.isItem { separate() }
            write(block, number: number)
            if !block.kind.isItem { separate() }
        }
    }

    private mutating func write(_ block: NotionBlock, number: Int) {
        switch block.kind {
        case .paragraph(let text): write(text, then: block.children)
        case .heading(let level, let text):
            // A heading is one line.
            let line = text.utf8.split(separator: 0x0A).map { String(Substring($0)) }.joined(separator: " ")
            if !line.isEmpty { lines.append(String(repeating: "#", count: level) + " " + line) }
            separate()
            write(block.children)
        case .bullet(let text): write(text, then: block.children, behind: "- ")
        case .number(let text): write(text, then: block.children, behind: "\(number). ")
        case .task(let text, let isDone): write(text, then: block.children, behind: isDone ? "- [x] " : "- [ ] ")
        case .quote(let text): write(text, then: block.children, behind: "> ", repeated: true)
        case .code(let text, let language): write(code: text, language)
        case .equation(let text): lines += ["$$"] + Self.split(text) + ["$$"]
        case .table: write(table: block.children)
        case .row(let cells): write(row: cells)
        case .divider: lines.append("---")
        case .group: write(block.children)
        }
    }

    private mutating func separate() {
        if lines.last?.isEmpty == false { lines.append("") }
    }

    /// Writes a text and the blocks within it.
    ///
    /// - Parameters:
    ///   - mark: stands before the first line; spaces of its length before the others, so that they stay within.
    ///   - repeated: the mark stands before each line.
    private mutating func write(
        _ text: String, then children: [NotionBlock], behind mark: String = "", repeated: Bool = false
    ) {
        var inner = NotionMarkdown()
        inner.lines = Self.split(text).map(Self.escaped)
        if case .paragraph? = children.first?.kind { inner.separate() }
        inner.write(children)
        while inner.lines.last?.isEmpty == true { inner.lines.removeLast() }
        let indent = repeated ? mark : String(repeating: " ", count: min(mark.utf8.count, 4))
        for (place, line) in inner.lines.enumerated() {
            let prefix = place == 0 ? mark : indent
            lines.append(line.isEmpty && !repeated && place > 0 ? "" : prefix + line)
        }
    }

    private mutating func write(code text: String, _ language: String) {
        // Longer than any fence within it (CommonMark § 4.5).
        var (longest, run) = (0, 0)
        for byte in text.utf8 {
            run = byte == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        let word = language.utf8.allSatisfy { $0.isASCIILetterOrDigit || "+-#".utf8.contains($0) } ? language : ""
        lines += [fence + word] + Self.split(text) + [fence]
    }

    /// The first row is the head, which a table of Markdown has to have.
    private mutating func write(table rows: [NotionBlock]) {
        for (place, row) in rows.enumerated() {
            guard case .row(let cells) = row.kind else { continue }
            write(row: cells)
            if place == 0 { lines.append("|" + String(repeating: " --- |", count: max(cells.count, 1))) }
        }
    }

    private mutating func write(row cells: [String]) {
        let escaped = cells.map { cell in
            let bytes = cell.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "|"): [UInt8(ascii: "\\"), byte]
                case 0x0A: [0x20]
                default: [byte]
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        lines.append("| " + escaped.joined(separator: " | ") + " |")
    }

    private static func split(_ text: String) -> [String] {
        text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(Substring($0)) }
    }

    /// A line of text that would be a heading or a fence, and thereby say something of the text below it, made plain.
    private static func escaped(_ line: String) -> String {
        let bytes = line.utf8
        guard let first = bytes.first, "#=-`~".utf8.contains(first) else { return line }
        let isFence = "`~".utf8.contains(first) && bytes.prefix(3).allSatisfy { $0 == first } && bytes.count >= 3
        let isRule = "=-".utf8.contains(first) && bytes.allSatisfy { $0 == first || $0 == 0x20 }
        return isFence || isRule || first == UInt8(ascii: "#") ? "\\" + line : line
    }
}

extension NotionBlock.Kind {
    /// Items of a list, and rows of a table, stand below one another without an empty line.
    fileprivate var isItem: Bool {
        switch self {
        case .bullet, .number, .task, .row: true
        default: false
        }
    }
}
