import Assets

/// The child's answer: what it writes to its standard output.
///
/// Six bytes `DOCX1\n`, then frames: a letter, the length of what follows in four bytes, the highest first, and that.
/// `H` begins a section: a byte for the level of its heading, and the title. `T` is text. The last frame is `E`, empty,
/// or `F` with the byte of a fault.
enum DocxMessage {
    private static let magic = Array("DOCX1\n".utf8)
    private static let heading = UInt8(ascii: "H")
    private static let text = UInt8(ascii: "T")
    private static let end = UInt8(ascii: "E")
    private static let fault = UInt8(ascii: "F")

    static func write(_ document: DocxText) -> [UInt8] {
        var message = magic
        message.reserveCapacity(document.bytes.count + document.headings.count * 64 + 64)
        var start = 0
        for next in document.headings {
            append(text, document.bytes[start..<next.start], to: &message)
            append(heading, [UInt8(clamping: next.level)] + next.title.utf8, to: &message)
            start = next.start
        }
        append(text, document.bytes[start...], to: &message)
        append(end, [], to: &message)
        return message
    }

    static func write(_ fault: DocxFault) -> [UInt8] {
        var message = magic
        append(self.fault, [fault.rawValue], to: &message)
        return message
    }

    private static func append(_ kind: UInt8, _ content: some Collection<UInt8>, to message: inout [UInt8]) {
        message.append(kind)
        let count = UInt32(clamping: content.count)
        message += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
        message += content
    }

    /// Reads the answer of a child that a document may have taken over: nothing in it is believed but its text.
    static func read(_ message: [UInt8]) throws(ExtractionFault) -> ExtractedText {
        guard message.starts(with: magic) else { throw .crashed }
        var bytes: [UInt8] = []
        var outline = SectionOutline()
        var rest = message[magic.count...]
        while let (kind, content) = takeFrame(from: &rest) {
            switch kind {
            case text: bytes += content
            case heading:
                // A section names all the headings above it: their levels, which rise, bound how many those are.
                guard let level = content.first, (1...9).contains(level) else { throw .crashed }
                guard let title = HeadingText.clean(content.dropFirst()) else { continue }
                // No text that follows may be a part of the last character.
                guard UTF8Text.isValid(Array(bytes.suffix(4).drop { $0 & 0xC0 == 0x80 })) else { throw .crashed }
                try outline.begin(title, level: Int(level), at: bytes.count)
            case end:
                guard rest.isEmpty, UTF8Text.isValid(bytes), !bytes.contains(0) else { throw .crashed }
                return ExtractedText(bytes: bytes, sections: outline.finish(at: bytes.count))
            case fault: throw content.first.flatMap(DocxFault.init(rawValue:))?.fault ?? .crashed
            default: throw .crashed
            }
        }
        throw .crashed
    }

    /// `nil` where there is no whole one.
    private static func takeFrame(from rest: inout ArraySlice<UInt8>) -> (kind: UInt8, content: ArraySlice<UInt8>)? {
        guard rest.count >= 5, let kind = rest.first else { return nil }
        let count = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(5)
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return (kind, rest.prefix(count))
    }
}
