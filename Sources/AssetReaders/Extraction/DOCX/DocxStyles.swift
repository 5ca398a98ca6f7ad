/// The levels of a document's paragraph styles (ECMA-376, Part 1 § 17.7).
struct DocxStyles {
    private struct Style {
        var name = ""
        var parent: String?
        /// From 1.
        var outlineLevel: Int?
    }

    private var styles: [String: Style] = [:]

    /// A document without styles.
    init() {}

    init(_ part: [UInt8]) throws(XMLFault) {
        var events = try XMLEvents(part, limits: WordXML.limits)
        while let event = try events.next() {
            guard case .start(let element) = event, WordXML.local(element.name) == "style",
                let id = WordXML.attribute("styleId", of: element)
            else { continue }
            styles[id] = try Self.style(&events)
        }
    }

    private static func style(_ events: inout XMLEvents) throws(XMLFault) -> Style {
        var style = Style()
        let outer = events.depth - 1
        while events.depth > outer, let event = try events.next() {
            guard case .start(let element) = event, let name = WordXML.local(element.name) else { continue }
            switch name {
            case "name": style.name = WordXML.value(of: element) ?? ""
            case "basedOn": style.parent = WordXML.value(of: element)
            case "outlineLvl": style.outlineLevel = outlineLevel(WordXML.value(of: element))
            default: break
            }
        }
        return style
    }

    /// The level of a heading in this style, from 1; `nil` where the style is none of a heading.
    func headingLevel(of id: String) -> Int? {
        var next: String? = id
        // A style may be based on itself.
        for _ in 0..<16 {
            guard let id = next else { return nil }
            guard let style = styles[id] else { return Self.level(ofName: id) }
            if let level = style.outlineLevel { return level == Self.bodyText ? nil : level }
            if let level = Self.level(ofName: style.name) { return level }
            next = style.parent
        }
        return nil
    }

    /// Whatever the language, the built-in styles are called `heading 1` to `heading 9`, and mostly have the id `Heading1`.
    private static func level(ofName name: String) -> Int? {
        let word = "heading"
        guard name.utf8.count <= 9, name.lowercased().hasPrefix(word), let level = Int(name.suffix(1)) else {
            return nil
        }
        let middle = name.utf8.dropFirst(word.utf8.count).dropLast()
        return level > 0 && (middle.isEmpty || middle.elementsEqual(" ".utf8)) ? level : nil
    }

    /// The level of an `outlineLvl` (§ 17.3.1.20), from 1; its 9, here 10, is body text.
    static func outlineLevel(_ value: String?) -> Int? {
        guard let value, let level = Int(value), (0...9).contains(level) else { return nil }
        return level + 1
    }

    static let bodyText = 10
}
