import Assets

/// The visible text of an HTML document, with its headings and title.
///
/// White space is one space, as in a browser; blocks are paragraphs, items and rows are lines, cells are parted by tabs.
struct HTMLText {
    /// - Parameter mostBytes: of the text.
    static func extract(
        _ content: [UInt8], charset: String?, mostBytes: Int
    ) throws(ExtractionFault) -> ExtractedText {
        let source = try TextDecoding.text(
            of: content, charset: charset ?? HTMLCharset.declared(in: content), atMost: mostBytes)
        var reader = HTMLText(mostBytes: mostBytes)
        for token in HTMLTokens(source) { try reader.read(token) }
        return try reader.finish()
    }

    private let mostBytes: Int
    private var output = HTMLTextOutput()
    private var outline = SectionOutline()
    private var hiding = HTMLHiding()
    private var title: String?
    /// The next text is that of the `title` element.
    private var isInTitle = false
    /// The heading that has begun, with the place of its text, once there is some.
    private var heading: (level: Int, start: Int?)?
    /// The open elements that keep their white space.
    private var preformatted = 0

    private init(mostBytes: Int) { self.mostBytes = mostBytes }

    private mutating func read(_ token: HTMLToken) throws(ExtractionFault) {
        switch token {
        case .text(let text): try read(text, keepsReferences: false)
        case .rawText(let text): try read(text, keepsReferences: true)
        case .start(let tag): try begin(tag)
        case .end(let name): try end(name)
        }
    }

    private mutating func read(_ text: ArraySlice<UInt8>, keepsReferences: Bool) throws(ExtractionFault) {
        if isInTitle {
            title = title ?? HeadingText.clean(HTMLTextOutput.replacingReferences(in: text.prefix(4096)))
            return
        }
        guard !hiding.isHidden else { return }
        let start = output.append(text, isPreformatted: preformatted > 0, keepsReferences: keepsReferences)
        if let heading, heading.start == nil { self.heading?.start = start }
        guard output.bytes.count <= mostBytes else { throw .tooMuchText }
    }

    private mutating func begin(_ tag: HTMLTag) throws(ExtractionFault) {
        if tag.name == "title" { isInTitle = !hiding.isHidden }
        hiding.begin(tag)
        guard !hiding.isHidden else { return }
        if tag.name == "br" { return output.breakLine() }
        output.separate(by: HTMLElement.border(of: tag.name))
        if Self.keepsSpace(tag.name) {
            preformatted += 1
            output.skipsLineEnd = true
        }
        if let level = HTMLElement.headingLevel(of: tag.name) {
            try endHeading()
            heading = (level, nil)
        }
    }

    private mutating func end(_ name: String) throws(ExtractionFault) {
        if name == "title" { isInTitle = false }
        let wasHidden = hiding.isHidden
        hiding.end(name)
        guard !hiding.isHidden else { return }
        let border = HTMLElement.border(of: name)
        // The next cell brings its own.
        if border != .cell { output.separate(by: border) }
        guard !wasHidden else { return }
        if Self.keepsSpace(name) { preformatted = max(0, preformatted - 1) }
        if HTMLElement.headingLevel(of: name) != nil { try endHeading() }
    }

    private mutating func endHeading() throws(ExtractionFault) {
        defer { heading = nil }
        guard let heading, let start = heading.start, let title = HeadingText.clean(output.bytes[start...]) else {
            return
        }
        try outline.begin(title, level: heading.level, at: start)
    }

    private mutating func finish() throws(ExtractionFault) -> ExtractedText {
        try endHeading()
        return ExtractedText(bytes: output.bytes, sections: outline.finish(at: output.bytes.count), title: title)
    }

    private static func keepsSpace(_ name: String) -> Bool {
        name == "pre" || name == "textarea" || name == "listing" || name == "xmp" || name == "plaintext"
    }
}
