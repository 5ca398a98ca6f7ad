/// The text of a Word document as the child tells it: bytes, and the headings in them.
struct DocxText {
    struct Heading {
        /// Of its first byte.
        var start: Int
        /// From 1.
        var level: Int
        var title: String
    }

    private(set) var bytes: [UInt8] = []
    private(set) var headings: [Heading] = []
    private let mostBytes: Int

    init(mostBytes: Int) { self.mostBytes = mostBytes }

    /// Adds a paragraph, or a row of a table.
    ///
    /// - Parameter border: what parts it from the text before.
    mutating func append(_ text: [UInt8], after border: StaticString) throws(DocxFault) {
        border.withUTF8Buffer { if !bytes.isEmpty { bytes += $0 } }
        bytes += text
        guard bytes.count <= mostBytes else { throw .tooMuchText }
    }

    /// Makes the next paragraph a heading.
    ///
    /// - Parameter border: what will part it from the text before.
    mutating func beginHeading(_ title: String, level: Int, after border: StaticString) throws(DocxFault) {
        guard headings.count < SectionOutline.most else { throw .tooManySections }
        let start = bytes.isEmpty ? 0 : bytes.count + border.utf8CodeUnitCount
        headings.append(Heading(start: start, level: level, title: title))
    }
}
