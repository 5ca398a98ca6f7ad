import Assets

/// The sections of a text in Markdown: what lies between its headings (CommonMark § 4.2, § 4.3).
///
/// Headings within fenced code are none, nor are the lines of front matter.
struct MarkdownSections {
    private let bytes: [UInt8]
    private var sections: [ExtractedText.Section] = []
    private var path = HeadingPath()
    private var start = 0
    /// The first line of the paragraph that the last line belongs to.
    private var paragraph: Int?
    private var fence: (mark: UInt8, count: Int)?

    static func sections(of bytes: [UInt8]) -> [ExtractedText.Section] {
        var reader = MarkdownSections(bytes: bytes)
        reader.read()
        return reader.sections
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func read() {
        var place = frontMatterEnd
        while place < bytes.count {
            let end = bytes[place...].firstIndex(of: 0x0A) ?? bytes.count
            read(place..<end)
            place = end + 1
        }
        close(at: bytes.count)
    }

    private mutating func read(_ line: Range<Int>) {
        let indent = bytes[line].prefix { $0 == 0x20 }.count
        let text = trimmed(bytes[line])
        if let fence {
            if indent < 4, text.count >= fence.count, text.allSatisfy({ $0 == fence.mark }) { self.fence = nil }
            return
        }
        guard let first = text.first else {
            paragraph = nil
            return
        }
        // Deeper is code, or goes on with a paragraph.
        guard indent < 4, bytes[line.lowerBound] != 0x09 else { return }
        if opensFence(text, first) { return }
        if first == hash, let level = headingLevel(text) {
            begin(text.dropFirst(level), level: level, at: line.lowerBound)
        } else if let paragraph, first == equals || first == hyphen, text.allSatisfy({ $0 == first }) {
            begin(bytes[paragraph..<line.lowerBound], level: first == equals ? 1 : 2, at: paragraph)
        } else if paragraph == nil, !isMarker(text, first) {
            paragraph = line.lowerBound
        } else if isMarker(text, first) {
            paragraph = nil
        }
    }

    private mutating func opensFence(_ text: ArraySlice<UInt8>, _ first: UInt8) -> Bool {
        guard first == backtick || first == tilde else { return false }
        let count = text.prefix { $0 == first }.count
        // What follows backticks has none, else they are code within a line.
        guard count >= 3, first == tilde || !text.dropFirst(count).contains(backtick) else { return false }
        fence = (first, count)
        paragraph = nil
        return true
    }

    private func headingLevel(_ text: ArraySlice<UInt8>) -> Int? {
        let level = text.prefix { $0 == hash }.count
        guard level <= 6 else { return nil }
        let rest = text.dropFirst(level)
        return rest.isEmpty || rest.first == 0x20 || rest.first == 0x09 ? level : nil
    }

    /// A line of a list, a quotation or a table: no paragraph that an underline makes a heading.
    private func isMarker(_ text: ArraySlice<UInt8>, _ first: UInt8) -> Bool {
        switch first {
        case UInt8(ascii: ">"), UInt8(ascii: "|"): return true
        case hyphen, UInt8(ascii: "*"), UInt8(ascii: "+"):
            let second = text.dropFirst().first
            return second == nil || second == 0x20 || second == 0x09 || text.allSatisfy { $0 == first || $0 == 0x20 }
        default:
            let digits = text.prefix { (0x30...0x39).contains($0) }.count
            let rest = text.dropFirst(digits)
            return (1...9).contains(digits) && (rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ")"))
                && (rest.dropFirst().first ?? 0x20) == 0x20
        }
    }

    private mutating func begin(_ heading: ArraySlice<UInt8>, level: Int, at place: Int) {
        close(at: place)
        paragraph = nil
        var text = trimmed(heading)
        // Closing marks, behind a space or alone.
        let body = text.prefix(text.count - text.reversed().prefix { $0 == hash }.count)
        if body.isEmpty || body.last == 0x20 || body.last == 0x09 { text = trimmed(body) }
        path.enter(text, level: level)
    }

    private mutating func close(at place: Int) {
        if place > start || (sections.isEmpty && place == bytes.count) {
            sections.append(.init(range: start..<place, headings: path.texts))
        }
        start = place
    }

    /// Behind the settings that many tools put at a file's head, between lines of three hyphens.
    private var frontMatterEnd: Int {
        guard bytes.starts(with: [hyphen, hyphen, hyphen, 0x0A]) else { return 0 }
        var place = 4
        while place < bytes.count {
            let end = bytes[place...].firstIndex(of: 0x0A) ?? bytes.count
            if bytes[place..<end].elementsEqual([hyphen, hyphen, hyphen]) { return min(end + 1, bytes.count) }
            place = end + 1
        }
        return 0
    }

    private func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let text = text.drop(while: isSpace)
        return text.prefix(text.count - text.reversed().prefix(while: isSpace).count)
    }
}

private let hash = UInt8(ascii: "#")
private let equals = UInt8(ascii: "=")
private let hyphen = UInt8(ascii: "-")
private let backtick = UInt8(ascii: "`")
private let tilde = UInt8(ascii: "~")
