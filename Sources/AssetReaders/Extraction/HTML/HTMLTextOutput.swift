/// The text that a page's reader sees, as it grows.
struct HTMLTextOutput {
    private(set) var bytes: [UInt8] = []
    private var due = HTMLBreak.none
    /// The line end that is next in the page is none of the text (HTML § 13.2.6.4.7, `pre`).
    var skipsLineEnd = false

    /// Parts what comes from what is there, with no more than the greatest of the breaks that are asked for.
    mutating func separate(by border: HTMLBreak) { due = max(due, border) }

    /// Two in a row make an empty line.
    mutating func breakLine() { due = due >= .line ? .paragraph : .line }

    /// Adds text, and tells where its first character stands; `nil` where it has only white space.
    ///
    /// - Parameter keepsReferences: `&amp;` is five characters.
    mutating func append(_ text: ArraySlice<UInt8>, isPreformatted: Bool, keepsReferences: Bool) -> Int? {
        var start: Int?
        var position = text.startIndex
        while position < text.endIndex {
            let byte = text[position]
            if byte == UInt8(ascii: "&"), !keepsReferences,
                let (reference, end) = CharacterReference.read(text[position...], in: .html)
            {
                for byte in reference.utf8 { append(byte == 0x0D ? 0x0A : byte, isPreformatted, &start) }
                position = end
            } else {
                append(byte, isPreformatted, &start)
                position += 1
            }
        }
        return start
    }

    static func replacingReferences(in text: ArraySlice<UInt8>) -> [UInt8] {
        var output = HTMLTextOutput()
        _ = output.append(text, isPreformatted: false, keepsReferences: false)
        return output.bytes
    }

    private mutating func append(_ byte: UInt8, _ isPreformatted: Bool, _ start: inout Int?) {
        let skipsLineEnd = self.skipsLineEnd
        self.skipsLineEnd = false
        if byte.isHTMLSpace {
            if !isPreformatted {
                separate(by: .space)
                return
            }
            if byte == 0x0A, skipsLineEnd { return }
        }
        if due > .none {
            due.text.withUTF8Buffer { if !bytes.isEmpty { bytes += $0 } }
            due = .none
        }
        if start == nil, !byte.isHTMLSpace { start = bytes.count }
        bytes.append(byte)
    }
}
