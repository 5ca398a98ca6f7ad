import Assets
import Testing

@testable import AssetReaders

struct DocxTests {
    typealias Fixture = DocxFixture

    @Test func `paragraphs, lists, tabs and breaks are the text`() throws {
        let body =
            Fixture.paragraph("One &amp; 1")
            + "<w:p/><w:p><w:r><w:t>a</w:t><w:tab/><w:t xml:space='preserve'> b</w:t><w:br/>"
            + "<w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>"
            + ["x", "y"].map {
                "<w:p><w:pPr><w:numPr/><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>\($0)</w:t></w:r></w:p>"
            }
            .joined()
        #expect(try text(body) == "One & 1\n\na\t b\nc\u{2011}d\n\nx\ny")
    }

    @Test func `a table is a line for each row, and a tab between cells`() throws {
        let cell = { (text: String) in "<w:tc><w:tcPr/>\(text)</w:tc>" }
        let inner = "<w:tbl><w:tr>\(cell(Fixture.paragraph("e")))\(cell(Fixture.paragraph("f")))</w:tr></w:tbl>"
        let body =
            "<w:tbl><w:tr>\(cell(Fixture.paragraph("a") + Fixture.paragraph("b")))\(cell("<w:p/>"))"
            + "\(cell(Fixture.paragraph("c")))</w:tr><w:tr>\(cell(Fixture.paragraph("d") + inner))</w:tr></w:tbl>"
            + Fixture.paragraph("after")
        #expect(try text(body) == "a b\t\tc\nd e f\n\nafter")
    }

    @Test func `what was deleted, moved or stands for newer things is left out`() throws {
        let box = "<w:txbxContent>\(Fixture.paragraph("box"))</w:txbxContent>"
        let body = """
            <w:p><w:del><w:r><w:delText>no</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins>\
            <w:moveFrom><w:r><w:t>no</w:t></w:r></w:moveFrom><w:r><w:instrText>no</w:instrText></w:r></w:p>\
            <w:p><m:AlternateContent xmlns:m='http://schemas.openxmlformats.org/markup-compatibility/2006'>\
            <m:Choice>\(box)</m:Choice><m:Fallback>\(box)</m:Fallback></m:AlternateContent></w:p>
            """
        #expect(try text(body).split(separator: "\n") == ["new", "box"])
    }

    @Test func `styles and outline levels make headings`() throws {
        let styles = """
            <w:style w:styleId='Titre1'><w:name w:val='heading 1'/></w:style>\
            <w:style w:styleId='Own'><w:name w:val='Chapter'/><w:basedOn w:val='Titre1'/></w:style>\
            <w:style w:styleId='Deep'><w:name w:val='Deep'/><w:pPr><w:outlineLvl w:val='2'/></w:pPr></w:style>\
            <w:style w:styleId='Loop'><w:name w:val='Loop'/><w:basedOn w:val='Loop'/></w:style>\
            <w:style w:styleId='Not'><w:name w:val='heading 1'/><w:pPr><w:outlineLvl w:val='9'/></w:pPr></w:style>
            """
        let body =
            Fixture.paragraph("before") + Fixture.paragraph("A", style: "Titre1") + Fixture.paragraph("a")
            + Fixture.paragraph("B", style: "Deep") + Fixture.paragraph("C", style: "Own")
            + Fixture.paragraph("no", style: "Loop") + Fixture.paragraph("no", style: "Not")
            + "<w:p><w:pPr><w:outlineLvl w:val='1'/><w:pPrChange><w:pPr><w:outlineLvl w:val='0'/></w:pPr></w:pPrChange>"
            + "</w:pPr><w:r><w:t>D</w:t></w:r></w:p>" + Fixture.paragraph("E", style: "Heading1")
        let text = try extracted(Fixture.archive(body: body, styles: styles))
        #expect(text.sections.map(\.headings) == [[], ["A"], ["A", "B"], ["C"], ["C", "D"], ["E"]])
        #expect(
            text.sections.map { String(decoding: text.bytes[$0.range], as: UTF8.self) }
                == ["before\n\n", "A\n\na\n\n", "B\n\n", "C\n\nno\n\nno\n\n", "D\n\n", "E"])
    }

    /// ECMA-376, Part 1 § 17.11
    @Test func `notes stand below the paragraph that refers to them, once`() throws {
        let note = { (kind: String, id: Int, text: String) in
            "<w:\(kind) w:id='\(id)'>\(Fixture.paragraph(text))</w:\(kind)>"
        }
        let part = { (root: String, notes: String) in "<w:\(root) xmlns:w='\(Fixture.namespace)'>\(notes)</w:\(root)>" }
        let footnotes = part(
            "footnotes",
            "<w:footnote w:type='separator' w:id='-1'><w:p><w:r><w:separator/></w:r></w:p></w:footnote>"
                + note("footnote", 1, "first") + note("footnote", 2, "second") + note("footnote", 3, "unused"))
        let endnotes = part("endnotes", note("endnote", 1, "last"))
        let reference = { (kind: String, id: Int) in "<w:r><w:\(kind)Reference w:id='\(id)'/></w:r>" }
        let body =
            "<w:p><w:pPr><w:outlineLvl w:val='0'/></w:pPr><w:r><w:t>A</w:t></w:r>\(reference("footnote", 1))</w:p>"
            + "<w:p>\(reference("footnote", 2))<w:r><w:t>b</w:t></w:r>\(reference("endnote", 1))"
            + "\(reference("footnote", 1))\(reference("footnote", 9))</w:p>"
            + "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>c</w:t></w:r>\(reference("endnote", 1))</w:p></w:tc></w:tr></w:tbl>"
        let text = try extracted(
            Fixture.archive(body: body, parts: ["footnotes.xml": footnotes, "endnotes.xml": endnotes]))
        #expect(String(decoding: text.bytes, as: UTF8.self) == "A\nfirst\n\nb\nsecond\nlast\n\nc")
        #expect(text.sections.map(\.headings) == [["A"]])
    }

    @Test func `the document is where the package says it is, and the strict namespace is read`() throws {
        var archive = ZipFixture()
        archive.add(
            "_rels/.rels",
            Array("<Relationships><Relationship Type='x/officeDocument' Target='/a/b.xml'/></Relationships>".utf8))
        archive.add(
            "a/b.xml",
            Array("<d xmlns='http://purl.oclc.org/ooxml/wordprocessingml/main'><p><r><t>yes</t></r></p></d>".utf8))
        #expect(String(decoding: try extracted(archive.bytes).bytes, as: UTF8.self) == "yes")
    }

    @Test func `what is no document is told`() {
        #expect(throws: DocxFault.noArchive) { try DocxReader.text(of: Array("nothing".utf8), mostBytes: 100) }
        #expect(throws: DocxFault.noDocument) { try DocxReader.text(of: [], mostBytes: 100) }
        #expect(throws: DocxFault.noDocument) {
            var archive = ZipFixture()
            archive.add("other.xml", [0x61])
            return try DocxReader.text(of: archive.bytes, mostBytes: 100)
        }
        #expect(throws: DocxFault.brokenXML) {
            try DocxReader.text(of: Fixture.archive(document: "<a><b></a>"), mostBytes: 100)
        }
        #expect(throws: DocxFault.tooMuchText) {
            try DocxReader.text(of: Fixture.archive(body: Fixture.paragraph("abc")), mostBytes: 2)
        }
        #expect(throws: DocxFault.encrypted) {
            var archive = ZipFixture()
            archive.add("word/document.xml", [UInt8](repeating: 1, count: 20), flags: 1)
            return try DocxReader.text(of: archive.bytes, mostBytes: 100)
        }
    }

    @Test func `entities are refused`() {
        let bomb = "<!DOCTYPE a [<!ENTITY x 'xxxxxxxxxx'><!ENTITY y '&x;&x;&x;&x;&x;&x;'>]><a>&y;&y;</a>"
        #expect(throws: DocxFault.documentType) {
            try DocxReader.text(of: Fixture.archive(document: bomb), mostBytes: 100)
        }
    }

    @Test func `a part that unpacks without measure is refused, whatever it declares`() {
        for (content, declared) in [
            (ZipFixture.zeros(10), 4_000_000_000), (ZipFixture.zeros(200 << 20), 200 << 20),
            (ZipFixture.zeros(200 << 20), 9),
        ] {
            var archive = ZipFixture()
            archive.add("word/document.xml", content, deflated: true, declaredSize: UInt32(declared))
            #expect(throws: DocxFault.tooMuchText) { try DocxReader.text(of: archive.bytes, mostBytes: 1 << 20) }
        }
    }

    @Test func `every prefix and every changed byte of a document is read, or refused`() throws {
        let document = Fixture.archive(
            body: Fixture.paragraph("A", style: "Heading1") + Fixture.paragraph("b"),
            styles: "<w:style w:styleId='Heading1'><w:name w:val='heading 1'/></w:style>")
        for count in 0...document.count { _ = try? extracted(Array(document[..<count])) }
        for position in document.indices {
            for byte in [0x00, 0x01, 0x26, 0x3C, 0x7F, 0xFF] as [UInt8] {
                var changed = document
                changed[position] = byte
                _ = try? extracted(changed)
            }
        }
    }

    // MARK: the child's answer

    @Test func `an answer is read as it was written`() throws {
        var document = DocxText(mostBytes: 100)
        try document.append(Array("zero".utf8), after: "\n\n")
        try document.beginHeading("One", level: 2, after: "\n\n")
        try document.append(Array("One é".utf8), after: "\n\n")
        let text = try DocxMessage.read(DocxMessage.write(document))
        #expect(text.bytes == Array("zero\n\nOne é".utf8))
        #expect(text.sections == [.init(range: 0..<6), .init(range: 6..<12, headings: ["One"])])
    }

    @Test func `a child's faults are told, and nothing else that it says`() {
        for fault in DocxFault.allCases {
            #expect(throws: fault.fault) { try DocxMessage.read(DocxMessage.write(fault)) }
        }
    }

    @Test(arguments: [
        "", "DOCX1", "DOCX1\n", "DOCX2\nE\0\0\0\0", "DOCX1\nT\0\0\0\u{1}", "DOCX1\nE\0\0\0\0x", "DOCX1\nX\0\0\0\0",
        "DOCX1\nF\0\0\0\0", "DOCX1\nH\0\0\0\u{2}\u{A}aE\0\0\0\0", "DOCX1\nH\0\0\0\u{2}\0aE\0\0\0\0",
        "DOCX1\nF\0\0\0\u{1}\u{7F}", "DOCX1\nT\0\0\0\u{1}\0E\0\0\0\0", "DOCX1\nT\u{7F}\u{7F}\u{7F}\u{7F}xE\0\0\0\0",
    ])
    func `an answer that is not whole is a crash`(_ message: String) {
        #expect(throws: ExtractionFault.crashed) { try DocxMessage.read(Array(message.utf8)) }
    }

    @Test func `an answer in which a heading stands within a character is a crash`() {
        let message =
            Array("DOCX1\nT\0\0\0\u{1}".utf8) + [0xC3] + Array("H\0\0\0\u{2}\u{1}a".utf8) + Array("T\0\0\0\u{1}".utf8)
            + [0xA9] + Array("E\0\0\0\0".utf8)
        #expect(throws: ExtractionFault.crashed) { try DocxMessage.read(message) }
    }

    private func text(_ body: String) throws -> String {
        String(decoding: try extracted(Fixture.archive(body: body)).bytes, as: UTF8.self)
    }

    /// By way of the child's answer.
    private func extracted(_ content: [UInt8]) throws -> ExtractedText {
        try DocxMessage.read(DocxMessage.write(try DocxReader.text(of: content, mostBytes: 1 << 20)))
    }
}
