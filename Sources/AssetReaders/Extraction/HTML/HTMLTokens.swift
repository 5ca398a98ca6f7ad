import Formats

/// A piece of an HTML document.
enum HTMLToken: Sendable {
    /// Character references are still in it.
    case text(ArraySlice<UInt8>)
    /// The content of an element that has no markup and no references in it.
    case rawText(ArraySlice<UInt8>)
    case start(HTMLTag)
    /// The name of the tag, in lower case.
    case end(String)
}

/// Takes HTML apart into tags and text (HTML § 13.2.5), in one pass: comments, declarations and processing instructions
/// are passed over. Any bytes are HTML.
///
/// There is no tree, which hostile pages make as deep as they like: the C library at hand takes time that grows with the
/// square of the depth, and of a tag's attributes.
struct HTMLTokens: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0
    /// As in a browser that runs scripts, `noscript` has no elements in it.
    private let runsScripts: Bool
    /// The element whose content goes on to its end tag, whatever is in it.
    private var verbatim: String?

    /// - Parameter bytes: UTF-8, or anything that agrees with ASCII.
    init(_ bytes: [UInt8], runsScripts: Bool = true) {
        self.bytes = bytes
        self.runsScripts = runsScripts
    }

    mutating func next() -> HTMLToken? {
        if let name = verbatim {
            verbatim = nil
            if let content = verbatimContent(of: name) { return content }
        }
        while position < bytes.count {
            if bytes[position] != UInt8(ascii: "<") || !beginsMarkup { return .text(text()) }
            if let token = markup() { return token }
        }
        return nil
    }

    /// The text to the next markup; a `<` that begins none is text.
    private mutating func text() -> ArraySlice<UInt8> {
        let start = position
        repeat {
            position += 1
        } while position < bytes.count
            && (bytes[position] != UInt8(ascii: "<") || !beginsMarkup)
        return bytes[start..<position]
    }

    private func byte(_ offset: Int) -> UInt8 { position + offset < bytes.count ? bytes[position + offset] : 0 }

    /// At a `<`.
    private var beginsMarkup: Bool {
        let next = byte(1)
        return next.isLetter || next == UInt8(ascii: "!") || next == UInt8(ascii: "?") || next == UInt8(ascii: "/")
    }

    private mutating func markup() -> HTMLToken? {
        if byte(1).isLetter { return startTag() }
        if byte(1) == UInt8(ascii: "/"), byte(2).isLetter { return endTag() }
        if byte(1) == UInt8(ascii: "!"), byte(2) == UInt8(ascii: "-"), byte(3) == UInt8(ascii: "-") {
            skipComment()
        } else {
            skip(beyond: UInt8(ascii: ">"))
        }
        return nil
    }

    private mutating func startTag() -> HTMLToken? {
        position += 1
        let name = tagName()
        let start = position
        var attributes = HTMLAttributes(bytes[start...])
        while attributes.next() != nil {}
        position = attributes.end
        // A tag that the end of the document cuts is none (§ 13.2.5.32).
        guard attributes.isClosed else { return nil }
        if HTMLElement.verbatim.contains(name), runsScripts || name != "noscript" { verbatim = name }
        return .start(HTMLTag(name: name, attributes: bytes[start..<position]))
    }

    private mutating func endTag() -> HTMLToken? {
        position += 2
        let name = tagName()
        var attributes = HTMLAttributes(bytes[position...])
        while attributes.next() != nil {}
        position = attributes.end
        return attributes.isClosed ? .end(name) : nil
    }

    /// In lower case; empty for one that is longer than any that means something here.
    private mutating func tagName() -> String {
        let start = position
        while position < bytes.count, !bytes[position].endsTagName { position += 1 }
        guard position - start <= 16 else { return "" }
        return String(decoding: bytes[start..<position].map { $0.isUpperCase ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// § 13.2.5.43 to § 13.2.5.52: `<!-->` and `<!--->` are whole comments, and `--!>` ends one too.
    private mutating func skipComment() {
        position += 4
        if byte(0) == UInt8(ascii: ">") || (byte(0) == UInt8(ascii: "-") && byte(1) == UInt8(ascii: ">")) {
            return skip(beyond: UInt8(ascii: ">"))
        }
        while position < bytes.count {
            skip(beyond: UInt8(ascii: "-"))
            guard byte(0) == UInt8(ascii: "-") else { continue }
            let end = byte(1) == UInt8(ascii: "!") ? 2 : 1
            if byte(end) == UInt8(ascii: ">") {
                position += end + 1
                return
            }
        }
    }

    private mutating func skip(beyond end: UInt8) {
        while position < bytes.count, bytes[position] != end { position += 1 }
        position = Swift.min(position + 1, bytes.count)
    }

    /// What is before the end tag of `name`; `nil` where there is nothing.
    private mutating func verbatimContent(of name: String) -> HTMLToken? {
        let start = position
        while position < bytes.count, !isEndTag(of: name) { position += 1 }
        guard position > start else { return nil }
        let content = bytes[start..<position]
        return HTMLElement.hasReferences.contains(name) ? .text(content) : .rawText(content)
    }

    private func isEndTag(of name: String) -> Bool {
        guard bytes[position] == UInt8(ascii: "<"), byte(1) == UInt8(ascii: "/") else { return false }
        // There is no end of it (§ 13.2.5.5).
        guard name != "plaintext" else { return false }
        var offset = 2
        for letter in name.utf8 {
            guard byte(offset) | 0x20 == letter else { return false }
            offset += 1
        }
        return position + offset >= bytes.count || bytes[position + offset].endsTagName
    }
}

extension UInt8 {
    /// Of ASCII.
    fileprivate var isLetter: Bool { (0x61...0x7A).contains(self | 0x20) }

    fileprivate var isUpperCase: Bool { (0x41...0x5A).contains(self) }

    fileprivate var endsTagName: Bool { isHTMLSpace || self == UInt8(ascii: "/") || self == UInt8(ascii: ">") }

    /// White space of HTML (Infra § 4.6).
    var isHTMLSpace: Bool {
        switch self {
        case 0x09, 0x0A, 0x0C, 0x0D, 0x20: true
        default: false
        }
    }
}
