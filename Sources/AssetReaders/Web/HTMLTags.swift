import Formats

/// The start tags of an HTML page, in order: as much of HTML § 13.2.5 as it takes to know what is a tag and what is not.
///
/// One pass: whatever is not closed ends with the page.
struct HTMLTags {
    struct Tag {
        /// In lower case.
        let name: String
        /// Names in lower case, the first of a name.
        fileprivate(set) var attributes: [String: String] = [:]
    }

    /// The most attributes of a tag that count, and the most bytes of a value.
    private static let mostAttributes = 256
    private static let longestValue = 16_384
    /// Their content is text, whatever it looks like (HTML § 13.2.5.2, § 13.2.5.3, § 13.2.5.4).
    private static let rawNames: Set = [
        "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
    ]

    private var scanner: XMLScanner

    /// - Parameter html: UTF-8.
    init(_ html: [UInt8]) {
        scanner = XMLScanner(html)
    }

    /// The next start tag; `nil` at the end of the page.
    mutating func next() -> Tag? {
        while scanner.take(upTo: "<") != nil {
            switch scanner.next {
            case UInt8(ascii: "!"):
                scanner.advance()
                // `<!-->` is a comment too (HTML § 13.2.5.43).
                let isComment = scanner.starts(with: "--")
                if scanner.take(upTo: isComment ? "-->" : ">") == nil { return nil }
            case UInt8(ascii: "?"):
                if scanner.take(upTo: ">") == nil { return nil }
            case UInt8(ascii: "/"):
                scanner.advance()
                if scanner.isAtLetter {
                    _ = tag()
                } else if scanner.take(upTo: ">") == nil {
                    return nil
                }
            case _ where scanner.isAtLetter:
                guard let tag = tag() else { return nil }
                if Self.rawNames.contains(tag.name) { skipText(of: tag.name) }
                return tag.name == "plaintext" ? nil : tag
            default: break
            }
        }
        return nil
    }

    /// Reads a tag whose name begins here; `nil` where the page ends within it.
    private mutating func tag() -> Tag? {
        var tag = Tag(name: word { $0 == UInt8(ascii: "/") })
        while !scanner.isAtEnd {
            scanner.skipSpaceAndSlashes()
            if scanner.take(">") { return tag }
            let (name, value) = attribute()
            if tag.attributes.count < Self.mostAttributes, tag.attributes[name] == nil { tag.attributes[name] = value }
        }
        return nil
    }

    /// HTML § 13.2.5.33 to § 13.2.5.38
    private mutating func attribute() -> (name: String, value: String) {
        // An equals sign that begins a name is part of it.
        let first = scanner.next == UInt8(ascii: "=") ? "=" : ""
        if !first.isEmpty { scanner.advance() }
        let name = first + word { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "/") }
        scanner.skipSpace()
        guard scanner.take("=") else { return (name, "") }
        scanner.skipSpace()
        let quote = scanner.next
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            return (name, text(scanner.take(atMost: .max) { $0.isHTMLSpace || $0 == UInt8(ascii: ">") }))
        }
        scanner.advance()
        let value = text(scanner.take(atMost: .max) { $0 == quote })
        scanner.advance()
        return (name, value)
    }

    /// A name, up to space, `>` or what else ends it.
    private mutating func word(until isEnd: (UInt8) -> Bool) -> String {
        let range = scanner.take(atMost: .max) { $0.isHTMLSpace || $0 == UInt8(ascii: ">") || isEnd($0) }
        return range.count <= 64 ? String(decoding: scanner[range], as: UTF8.self).lowercased() : ""
    }

    private func text(_ range: Range<Int>) -> String {
        range.count <= Self.longestValue ? CharacterReference.replaced(in: scanner[range]) : ""
    }

    /// Goes to the end tag of an element whose content is text, or to the end of the page.
    private mutating func skipText(of name: String) {
        while scanner.take(upTo: "</") != nil {
            let range = scanner.take(atMost: name.utf8.count) { !$0.isASCIILetterOrDigit }
            let isName = String(decoding: scanner[range], as: UTF8.self).lowercased() == name
            if isName, !scanner.next.isASCIILetterOrDigit { return }
        }
    }
}

extension XMLScanner {
    fileprivate var isAtLetter: Bool { (0x61...0x7A).contains(next | 0x20) }

    fileprivate func starts(with word: StaticString) -> Bool {
        var copy = self
        return copy.take(word)
    }

    fileprivate mutating func skipSpaceAndSlashes() {
        _ = take(atMost: .max) { !$0.isHTMLSpace && $0 != UInt8(ascii: "/") }
    }
}
