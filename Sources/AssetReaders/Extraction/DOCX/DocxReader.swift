/// Takes the text out of a Word document, in the process that calls: to be called in a child alone.
enum DocxReader {
    /// The most bytes that a part may unpack to. XML is many times the text in it.
    private static let mostPartBytes = 128 << 20

    static func text(of content: [UInt8], mostBytes: Int) throws(DocxFault) -> DocxText {
        let archive = try ZipArchive(content)
        let path = try documentPath(in: archive)
        guard let document = try archive.file(path, atMost: mostPartBytes) else { throw .noDocument }
        let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[...$0] } ?? ""
        var notes = DocxNotes()
        for name in ["footnotes.xml", "endnotes.xml"] {
            guard let part = try archive.file("\(folder)\(name)", atMost: mostPartBytes) else { continue }
            try DocxBody.readNotes(part, mostBytes: mostBytes, into: &notes)
        }
        return try DocxBody.read(
            document, styles: try styles(in: archive, folder: folder), notes: notes, mostBytes: mostBytes)
    }

    /// The part that the package's relationships call its document (ECMA-376, Part 2 § 9.3): `word/document.xml`, but
    /// for few programs.
    private static func documentPath(in archive: ZipArchive) throws(DocxFault) -> String {
        guard let part = try archive.file("_rels/.rels", atMost: 1 << 20) else { return "word/document.xml" }
        do throws(XMLFault) {
            var events = try XMLEvents(part)
            while let event = try events.next() {
                guard case .start(let element) = event, element.name.local == "Relationship",
                    element["Type"]?.hasSuffix("/officeDocument") == true, let target = element["Target"]
                else { continue }
                return target.hasPrefix("/") ? String(target.dropFirst()) : target
            }
        } catch {
            throw DocxFault(error)
        }
        return "word/document.xml"
    }

    private static func styles(in archive: ZipArchive, folder: Substring) throws(DocxFault) -> DocxStyles {
        guard let part = try archive.file("\(folder)styles.xml", atMost: mostPartBytes) else { return DocxStyles() }
        do throws(XMLFault) { return try DocxStyles(part) } catch { throw DocxFault(error) }
    }
}
