import Assets
import Testing

@testable import AssetReaders

struct DocumentTextExtractorTests {
    private let extractor = DocumentTextExtractor(executable: docxChild)

    @Test func `the types of the contract are read`() {
        #expect(
            extractor.supportedTypes.map(\.extensions) == [
                [".txt"], [".md"], [".html", ".htm"], [".csv"], [".pdf"], [".docx"],
            ])
        #expect(
            extractor.supportedTypes.map(\.contentType).prefix(5) == [
                "text/plain", "text/markdown", "text/html", "text/csv", "application/pdf",
            ])
    }

    @Test func `a type without its tool is not read`() async {
        let extractor = DocumentTextExtractor(executable: nil, pdfTool: "/nonexistent/pdftotext")
        #expect(extractor.supportedTypes.count == 4)
        await #expect(throws: Document.Failure(.unsupportedType, "documents of type \"application/pdf\" are not read"))
        {
            try await extractor.extract(SourceContent(bytes: [], contentType: nil), fileName: "a.pdf")
        }
    }

    @Test(
        arguments: [
            ("text/markdown", "a.txt", ["T"]), (nil, "a.MD", ["T"]), ("application/octet-stream", "a.md", ["T"]),
            ("text/plain", "a.md", []), ("text/x-markdown", "a", ["T"]),
        ] as [(String?, String, [String])])
    func `the type is told by the content's own, else by the name`(
        _ contentType: String?, _ name: String, _ headings: [String]
    ) async throws {
        let content = SourceContent(bytes: Array("# T".utf8), contentType: contentType)
        #expect(try await extractor.extract(content, fileName: name).sections.map(\.headings) == [headings])
    }

    @Test(
        arguments: [("image/png", "a.txt"), (nil, "a.png"), (nil, "a"), (nil, ""), ("", "md")] as [(String?, String)])
    func `a type that is not known is told`(_ contentType: String?, _ name: String) async {
        let failure = await #expect(throws: Document.Failure.self) {
            try await extractor.extract(SourceContent(bytes: [0x61], contentType: contentType), fileName: name)
        }
        #expect(failure?.code == .unsupportedType)
    }

    @Test func `text and CSV are the decoded file itself`() async throws {
        let bytes = Array("\u{FEFF}a,\"b\r\nc\"\r\n# no\n".utf8)
        for name in ["a.csv", "a.txt"] {
            let text = try await extractor.extract(SourceContent(bytes: bytes, contentType: nil), fileName: name)
            #expect(text.bytes == Array("a,\"b\nc\"\n# no\n".utf8))
            #expect(text.sections == [.init(range: 0..<text.bytes.count)])
        }
    }

    @Test(arguments: ["a.txt", "a.md", "a.csv", "a.html"])
    func `text with NULs is unreadable`(_ name: String) async {
        await #expect(throws: Document.Failure(.unreadable, "the document is not text: it has NUL characters")) {
            try await extractor.extract(SourceContent(bytes: [0x61, 0], contentType: nil), fileName: name)
        }
    }

    @Test func `the pages of a PDF are sections`() async throws {
        let text = try await extract(PDFFixture.pages(["First page", "", "Third"]), "a.pdf")
        #expect(text.sections.map(\.page) == [1, 2, 3])
        let pages = text.sections.map { section in
            String(decoding: text.bytes[section.range].filter { $0 > 0x20 }, as: UTF8.self)
        }
        #expect(pages == ["Firstpage", "", "Third"])
        #expect(text.sections.last?.range.upperBound == text.bytes.count)
    }

    @Test func `a PDF that is broken or encrypted is unreadable, and the words say which`() async {
        await #expect(throws: Document.Failure(.unreadable, "the document is encrypted")) {
            try await extract(PDFFixture.encrypted, "a.pdf")
        }
        await #expect(
            throws: Document.Failure(.unreadable, "the document is broken: it is no PDF that can be read")
        ) {
            try await extract(Array("%PDF-1.4\nnothing".utf8), "a.pdf")
        }
    }

    @Test(arguments: [
        ("exec sleep 1000", "reading the document took too long"),
        ("kill -ABRT $$", "the document is broken: its reader crashed or ran out of memory"),
        ("exec yes", "the document has too much text, or unpacks to too much"),
        ("exit 1", "the document is broken: it is no PDF that can be read"),
    ])
    func `a PDF tool that misbehaves makes the document unreadable`(_ script: String, _ words: String) async throws {
        let tool = try ScriptFixture(script)
        var limits = ExtractionLimits()
        limits.childSeconds = 1
        limits.textBytes = 100_000
        let extractor = DocumentTextExtractor(executable: nil, pdfTool: tool.path, limits: limits)
        await #expect(throws: Document.Failure(.unreadable, words)) {
            try await extractor.extract(
                SourceContent(bytes: PDFFixture.pages(["x"]), contentType: "application/pdf"), fileName: "x")
        }
    }

    @Test func `a page that becomes many times its bytes is not read, seen or not`() async throws {
        var limits = ExtractionLimits()
        limits.textBytes = 1000
        let extractor = DocumentTextExtractor(executable: nil, limits: limits)
        let page = Array("<!--".utf8) + [UInt8](repeating: 0x80, count: 500) + Array("-->".utf8)
        await #expect(
            throws: Document.Failure(.unreadable, "the document has too much text, or unpacks to too much")
        ) {
            try await extractor.extract(SourceContent(bytes: page, contentType: "text/html"), fileName: "x")
        }
    }

    @Test func `what a PDF tool writes is text, whatever it writes`() async throws {
        let tool = try ScriptFixture(#"printf 'a\000b\377c\r\n\014d'"#)
        let extractor = DocumentTextExtractor(executable: nil, pdfTool: tool.path)
        let text = try await extractor.extract(
            SourceContent(bytes: [0x25], contentType: "application/pdf"), fileName: "x")
        #expect(String(decoding: text.bytes, as: UTF8.self) == "a b\u{FFFD}c\n\u{C}d")
        #expect(text.sections == [.init(range: 0..<9, page: 1), .init(range: 9..<10, page: 2)])
    }

    @Test func `a Word document is read in a child`() async throws {
        let body = DocxFixture.paragraph("Title", style: "Heading1") + DocxFixture.paragraph("text")
        let text = try await extract(DocxFixture.archive(body: body), "a.docx")
        #expect(text.bytes == Array("Title\n\ntext".utf8))
        #expect(text.sections.map(\.headings) == [["Title"]])
    }

    @Test func `a Word document that is broken or a bomb is unreadable`() async throws {
        var bomb = ZipFixture()
        bomb.add("word/document.xml", ZipFixture.zeros(200 << 20), deflated: true, declaredSize: 200 << 20)
        for (content, words) in [
            (bomb.bytes, "the document has too much text, or unpacks to too much"),
            (
                Array("x".utf8),
                "the document is broken: it is no ZIP archive; it may be encrypted, or of Word's old format"
            ),
        ] {
            await #expect(throws: Document.Failure(.unreadable, words)) { try await extract(content, "a.docx") }
        }
    }

    @Test func `a Word document that needs more memory than there may be fails alone`() async throws {
        var limits = ExtractionLimits()
        limits.childMemory = 300 << 20
        let extractor = DocumentTextExtractor(executable: docxChild, limits: limits)
        var archive = ZipFixture()
        archive.add("word/document.xml", ZipFixture.zeros(120 << 20), deflated: true, declaredSize: 120 << 20)
        let failure = await #expect(throws: Document.Failure.self) {
            try await extractor.extract(SourceContent(bytes: archive.bytes, contentType: nil), fileName: "a.docx")
        }
        #expect(failure?.code == .unreadable)
    }

    @Test(arguments: ["exec cat", "exec true", "exit 3", "kill -SEGV $$", "printf 'DOCX1\\nT\\377\\377\\377\\377'"])
    func `a child that misbehaves makes the document unreadable`(_ script: String) async throws {
        let executable = try ScriptFixture(script)
        let extractor = DocumentTextExtractor(executable: executable.path)
        await #expect(throws: ExtractionFault.crashed.failure) {
            try await extractor.extract(SourceContent(bytes: [0x50], contentType: nil), fileName: "a.docx")
        }
    }

    @Test func `every tenth prefix of a PDF is read, or refused`() async throws {
        let document = PDFFixture.pages(["x"])
        for count in stride(from: 0, to: document.count, by: 10) {
            _ = try? await extract(Array(document[..<count]), "a.pdf")
        }
    }

    private func extract(_ bytes: [UInt8], _ name: String) async throws -> ExtractedText {
        try await extractor.extract(SourceContent(bytes: bytes, contentType: nil), fileName: name)
    }
}
