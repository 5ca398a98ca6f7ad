/// Tells where a page is not visible: elements that nobody sees, and those that an attribute hides.
///
/// Nothing is kept of visible elements. Within a hidden one the open elements are, since HTML leaves end tags out: a
/// hidden `<p>` ends at the next block.
struct HTMLHiding {
    /// The open elements, the hidden one first.
    private var open: [String] = []
    /// The places of each of them, by name: hostile pages have a thousand tags for every one that ends another.
    private var places: [String: [Int]] = [:]
    /// Elements that are open beyond the most that are kept.
    private var surplus = 0

    /// Hostile pages open elements without end.
    private static let most = 256

    var isHidden: Bool { !open.isEmpty }

    mutating func begin(_ tag: HTMLTag) {
        if isHidden, surplus == 0 { endImplied(by: tag.name) }
        guard !HTMLElement.void.contains(tag.name) else { return }
        guard isHidden || HTMLElement.unseen.contains(tag.name) || tag.isHidden else { return }
        guard open.count < Self.most else {
            surplus += 1
            return
        }
        places[tag.name, default: []].append(open.count)
        open.append(tag.name)
    }

    mutating func end(_ name: String) {
        guard isHidden else { return }
        if surplus > 0 {
            surplus -= 1
        } else if let place = places[name]?.last {
            pop(from: place)
        } else if HTMLElement.border(of: name) > .space, let root = open.first, ImpliedEnd.isOptional(of: root) {
            // The end of an element around the hidden one, whose own end tag was left out.
            removeAll()
        }
    }

    /// Ends the elements whose end tag may be left out before this one (HTML § 13.1.2.4).
    private mutating func endImplied(by name: String) {
        guard let rule = ImpliedEnd.rule(for: name), let place = lastPlace(of: rule.ended) else { return }
        if place > lastPlace(of: rule.borders) ?? -1 { pop(from: place) }
    }

    private func lastPlace(of names: Set<String>) -> Int? { names.compactMap { places[$0]?.last }.max() }

    private mutating func pop(from place: Int) {
        while open.count > place {
            if let name = open.popLast() { _ = places[name]?.popLast() }
        }
        if open.isEmpty { removeAll() }
    }

    private mutating func removeAll() {
        open.removeAll()
        places.removeAll()
    }
}

/// The elements that the beginning of another ends.
private struct ImpliedEnd {
    var ended: Set<String>
    /// Beyond them nothing is ended.
    var borders: Set<String>

    static func rule(for name: String) -> ImpliedEnd? { rules[name] ?? (endsParagraph(name) ? paragraph : nil) }

    static func isOptional(of name: String) -> Bool { optional.contains(name) }

    private static func endsParagraph(_ name: String) -> Bool { HTMLElement.border(of: name) == .paragraph }

    private static let paragraph = ImpliedEnd(ended: ["p"], borders: ["td", "th", "button", "template"])

    private static let optional: Set<String> = [
        "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "caption", "option", "optgroup", "rp",
    ]

    private static let rules: [String: ImpliedEnd] = {
        var rules: [String: ImpliedEnd] = [:]
        rules["li"] = ImpliedEnd(ended: ["li"], borders: ["ul", "ol", "menu", "dir"])
        for name in ["dt", "dd"] { rules[name] = ImpliedEnd(ended: ["dt", "dd"], borders: ["dl"]) }
        for name in ["td", "th"] { rules[name] = ImpliedEnd(ended: ["td", "th", "caption"], borders: ["table"]) }
        rules["tr"] = ImpliedEnd(ended: ["tr", "caption"], borders: ["table"])
        for name in ["thead", "tbody", "tfoot"] {
            rules[name] = ImpliedEnd(ended: ["thead", "tbody", "tfoot", "caption"], borders: ["table"])
        }
        rules["option"] = ImpliedEnd(ended: ["option"], borders: ["select", "datalist"])
        rules["optgroup"] = ImpliedEnd(ended: ["optgroup", "option"], borders: ["select", "datalist"])
        for name in ["rb", "rt", "rp"] { rules[name] = ImpliedEnd(ended: ["rb", "rt", "rp"], borders: ["ruby"]) }
        return rules
    }()
}

extension HTMLTag {
    /// An attribute hides the element (HTML § 6.1, § 15.3.1; CSS Display § 2.5). Style sheets are not read.
    fileprivate var isHidden: Bool {
        if let hidden = self["hidden"], hidden.lowercased() != "until-found" { return true }
        if name == "dialog", self["open"] == nil { return true }
        guard let style = self["style"] else { return false }
        let declarations = style.utf8.prefix(4096).filter { !$0.isHTMLSpace }.map { $0 | 0x20 }
        return declarations.split(separator: UInt8(ascii: ";")).contains { declaration in
            ["display:none", "visibility:hidden"].contains { declaration.starts(with: $0.utf8) }
        }
    }
}
