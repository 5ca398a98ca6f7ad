import Assets

/// Makes the sections of a text of its headings, as they come.
struct SectionOutline {
    private(set) var sections: [ExtractedText.Section] = []
    private var start = 0
    /// The headings above the place, outermost first, with their levels.
    private var path: [(level: Int, title: String)] = []

    /// The most sections: a section costs far more than the few bytes that a heading may be written in.
    static let most = 100_000

    /// Begins a section at a heading.
    ///
    /// - Parameters:
    ///   - level: from 1, the outermost.
    ///   - offset: the heading's first byte; no less than that of the one before.
    mutating func begin(_ title: String, level: Int, at offset: Int) throws(ExtractionFault) {
        guard sections.count + 1 < Self.most else { throw .tooManySections }
        close(at: offset)
        while let last = path.last, last.level >= level { path.removeLast() }
        path.append((level, title))
    }

    /// The sections of a text of so many bytes.
    mutating func finish(at end: Int) -> [ExtractedText.Section] {
        close(at: end)
        if sections.isEmpty { sections = [ExtractedText.Section(range: 0..<end)] }
        return sections
    }

    private mutating func close(at offset: Int) {
        guard offset > start else { return }
        sections.append(ExtractedText.Section(range: start..<offset, headings: path.map(\.title)))
        start = offset
    }
}
