/// Reads the body of a Word document (ECMA-376, Part 1 § 17.2): paragraphs, and tables row by row. Notes stand below the
/// paragraph that refers to them. Left out is what was deleted, and what stands outside of the text: headers, footers and
/// comments.
struct DocxBody {
    private struct Paragraph {
        var text: [UInt8] = []
        var notes: [UInt8] = []
        var style: String?
        /// Its own, from 1.
        var outlineLevel: Int?
        var isListItem = false
    }

    private let styles: DocxStyles
    /// Those that no paragraph has referred to so far: each stands in the text once, however many do.
    private var notes: DocxNotes
    private var events: XMLEvents
    private var text: DocxText
    /// The open ones: a text box is in a paragraph, and has paragraphs.
    private var paragraphs: [Paragraph] = []
    /// The open cells' text, of a table in a cell too.
    private var cells: [[UInt8]] = []
    /// The cells that each open row has had.
    private var rows: [[[UInt8]]] = []
    private var followsListItem = false
    private var followsRow = false

    static func read(
        _ part: [UInt8], styles: DocxStyles, notes: DocxNotes, mostBytes: Int
    ) throws(DocxFault) -> DocxText {
        var body = try DocxBody(part, styles: styles, notes: notes, atMost: mostBytes)
        while let event = try body.next() { try body.take(event) }
        return body.text
    }

    /// Reads a part of notes (§ 17.11).
    static func readNotes(_ part: [UInt8], mostBytes: Int, into notes: inout DocxNotes) throws(DocxFault) {
        var body = try DocxBody(part, styles: DocxStyles(), notes: DocxNotes(), atMost: mostBytes)
        while let event = try body.next() {
            try body.take(event)
            guard case .start(let element) = event, let id = DocxNotes.id(ofNote: element) else { continue }
            body.text = DocxText(mostBytes: mostBytes)
            let outer = body.events.depth - 1
            while body.events.depth > outer, let event = try body.next() { try body.take(event) }
            notes.add(body.text.bytes, id)
        }
    }

    private init(
        _ part: [UInt8], styles: DocxStyles, notes: DocxNotes, atMost mostBytes: Int
    ) throws(DocxFault) {
        self.styles = styles
        self.notes = notes
        text = DocxText(mostBytes: mostBytes)
        do throws(XMLFault) {
            events = try XMLEvents(part, limits: WordXML.limits)
        } catch {
            throw DocxFault(error)
        }
    }

    private mutating func take(_ event: XMLEvent) throws(DocxFault) {
        switch event {
        case .start(let element): try begin(element)
        case .end(let name): try end(name)
        case .text: break
        }
    }

    private mutating func next() throws(DocxFault) -> XMLEvent? {
        do throws(XMLFault) { return try events.next() } catch { throw DocxFault(error) }
    }

    private mutating func begin(_ element: XMLElement) throws(DocxFault) {
        if element.name == WordXML.fallback || WordXML.local(element.name) == "moveFrom" { return try skip() }
        if WordXML.isMathText(element.name) { return addOnLine(try readText()) }
        switch WordXML.local(element.name) {
        case "p": paragraphs.append(Paragraph())
        case "pPr": try readProperties()
        case "t": addOnLine(try readText())
        case "tab", "ptab": add("\t")
        case "br", "cr": add("\n")
        case "noBreakHyphen": add("\u{2011}")
        case "footnoteReference", "endnoteReference": addNote(element)
        case "tr": rows.append([])
        case "tc": cells.append([])
        // Earlier forms, and settings with elements of the same names.
        case "rPr", "tblPr", "trPr", "tcPr", "sectPr", "sdtPr": try skip()
        default: break
        }
    }

    private mutating func end(_ name: XMLName) throws(DocxFault) {
        switch WordXML.local(name) {
        case "p": if let paragraph = paragraphs.popLast() { try finish(paragraph) }
        case "tc": if let cell = cells.popLast(), !rows.isEmpty { rows[rows.count - 1].append(cell) }
        case "tr": if let row = rows.popLast() { try finish(row) }
        case "tbl": if cells.isEmpty { followsRow = false }
        default: break
        }
    }

    private mutating func add(_ piece: String) {
        guard !paragraphs.isEmpty else { return }
        paragraphs[paragraphs.count - 1].text += piece.utf8
    }

    /// Tabs and breaks are elements; as characters they are spaces.
    private mutating func addOnLine(_ piece: String) {
        guard !paragraphs.isEmpty else { return }
        paragraphs[paragraphs.count - 1].text += piece.utf8.lazy.map { $0 < 0x20 ? 0x20 : $0 }
    }

    private mutating func addNote(_ reference: XMLElement) {
        guard !paragraphs.isEmpty, let note = notes.take(reference) else { return }
        paragraphs[paragraphs.count - 1].notes += [0x0A] + note
    }

    /// § 17.3.1.26. An earlier form of the properties, kept as a change, is in them under the same names.
    private mutating func readProperties() throws(DocxFault) {
        let outer = events.depth - 1
        while events.depth > outer, let event = try next() {
            guard case .start(let element) = event, !paragraphs.isEmpty else { continue }
            let last = paragraphs.count - 1
            switch WordXML.local(element.name) {
            case "pStyle": paragraphs[last].style = WordXML.value(of: element)
            case "outlineLvl": paragraphs[last].outlineLevel = DocxStyles.outlineLevel(WordXML.value(of: element))
            case "numPr": paragraphs[last].isListItem = true
            case "pPrChange", "rPr", "sectPr": try skip()
            default: break
            }
        }
    }

    private mutating func finish(_ paragraph: Paragraph) throws(DocxFault) {
        let text = paragraph.text + paragraph.notes
        let isBlank = text.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }
        guard !isBlank else { return }
        if !paragraphs.isEmpty {
            // Of a text box.
            paragraphs[paragraphs.count - 1].text += [0x0A] + text + [0x0A]
        } else if !cells.isEmpty {
            addToCell(text)
        } else {
            try append(paragraph)
        }
    }

    private mutating func append(_ paragraph: Paragraph) throws(DocxFault) {
        let border: StaticString = paragraph.isListItem && followsListItem ? "\n" : "\n\n"
        if let level = level(of: paragraph), let title = HeadingText.clean(paragraph.text) {
            try text.beginHeading(title, level: level, after: border)
        }
        try text.append(paragraph.text + paragraph.notes, after: border)
        followsListItem = paragraph.isListItem
        followsRow = false
    }

    private func level(of paragraph: Paragraph) -> Int? {
        if let level = paragraph.outlineLevel { return level == DocxStyles.bodyText ? nil : level }
        return paragraph.style.flatMap { styles.headingLevel(of: $0) }
    }

    /// A cell is on one line.
    private mutating func addToCell(_ text: [UInt8]) {
        let line = text.map { $0 == 0x0A || $0 == 0x09 ? 0x20 : $0 }
        cells[cells.count - 1] += cells[cells.count - 1].isEmpty ? line : [0x20] + line
    }

    private mutating func finish(_ row: [[UInt8]]) throws(DocxFault) {
        guard !row.allSatisfy(\.isEmpty) else { return }
        let line = Array(row.joined(separator: [0x09]))
        guard cells.isEmpty else { return addToCell(line) }
        try text.append(line, after: followsRow ? "\n" : "\n\n")
        followsRow = true
        followsListItem = false
    }

    private mutating func readText() throws(DocxFault) -> String {
        do throws(XMLFault) { return try events.readText() } catch { throw DocxFault(error) }
    }

    private mutating func skip() throws(DocxFault) {
        do throws(XMLFault) { try events.skipElement() } catch { throw DocxFault(error) }
    }
}
