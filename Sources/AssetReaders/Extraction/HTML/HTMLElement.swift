/// The elements of HTML, by what they do to the text that a reader sees.
enum HTMLElement {
    /// Elements whose content has no tags in it (HTML § 13.2.6.2); `noscript` where scripts run, as a reader has it.
    static let verbatim: Set<String> = [
        "script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "title", "textarea", "plaintext",
    ]

    /// Those of them that have character references.
    static let hasReferences: Set<String> = ["title", "textarea"]

    /// Elements that have no end tag (§ 13.1.2).
    static let void: Set<String> = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    ]

    /// Elements whose content nobody sees, or which is there for programs that do not know the element.
    static let unseen: Set<String> = [
        "script", "style", "template", "iframe", "noembed", "noframes", "noscript", "svg", "canvas", "audio", "video",
        "object", "datalist", "rp",
    ]

    /// What parts an element from the text around it.
    static func border(of name: String) -> HTMLBreak { borders[name] ?? .none }

    /// 1 to 6 for `h1` to `h6`.
    static func headingLevel(of name: String) -> Int? {
        guard name.utf8.count == 2, name.utf8.first == UInt8(ascii: "h"), let digit = name.utf8.last else { return nil }
        return (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(digit) ? Int(digit - UInt8(ascii: "0")) : nil
    }

    private static let borders: [String: HTMLBreak] = {
        var borders: [String: HTMLBreak] = [:]
        let paragraphs = [
            "address", "article", "aside", "blockquote", "body", "center", "details", "dialog", "dir", "div", "dl",
            "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr",
            "listing", "main", "menu", "nav", "ol", "p", "plaintext", "pre", "search", "section", "table", "ul", "xmp",
        ]
        let lines = [
            "caption", "dd", "dt", "figcaption", "legend", "li", "optgroup", "option", "summary", "tbody", "textarea",
            "tfoot", "thead", "tr",
        ]
        for name in paragraphs { borders[name] = .paragraph }
        for name in lines { borders[name] = .line }
        for name in ["td", "th"] { borders[name] = .cell }
        return borders
    }()
}

/// A break that is due before the next text; the greater one counts.
enum HTMLBreak: Int, Comparable {
    case none
    case space
    case cell
    case line
    case paragraph

    static func < (left: HTMLBreak, right: HTMLBreak) -> Bool { left.rawValue < right.rawValue }

    var text: StaticString {
        switch self {
        case .none: ""
        case .space: " "
        case .cell: "\t"
        case .line: "\n"
        case .paragraph: "\n\n"
        }
    }
}
