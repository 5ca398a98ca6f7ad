/// Tells where a page is not visible: elements that nobody sees, and those that an attribute hides.
///
/// Nothing is kept of visible elements. Within a hidden one the open elements are, since HTML leaves end tags out: a
/// hidden `<p>` ends at the next block.
struct HTMLHiding {
    /// The open elements, the hidden one first.
    private var open: [String] = []
    private var counts: [String: Int] = [:]
    /// Elements that are open beyond the most that are kept.
    private var surplus = 0

    /// Looking through the open elements is bounded by it, and with it the time that hostile pages take.
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
        open.append(tag.name)
        counts[tag.name, default: 0] += 1
    }

    mutating func end(_ name: String) {
        guard isHidden else { return }
        if surplus > 0 {
            surplus -= 1
        } else if counts[name, default: 0] > 0 {
            pop(through: name)
        } else if HTMLElement.border(of: name) > .space, let root = open.first, ImpliedEnd.isOptional(of: root) {
            // The end of an element around the hidden one, whose own end tag was left out.
            removeAll()
        }
    }

    /// Ends the elements whose end tag may be left out before this one (HTML § 13.1.2.4).
    private mutating func endImplied(by name: String) {
        guard let rule = ImpliedEnd.rule(for: name), rule.ended.contains(where: { counts[$0, default: 0] > 0 }) else {
            return
        }
        for place in open.indices.reversed() {
            if rule.borders.contains(open[place]) { return }
            if rule.ended.contains(open[place]) { return pop(from: place) }
        }
    }

    private mutating func pop(through name: String) {
        if let place = open.lastIndex(of: name) { pop(from: place) }
    }

    private mutating func pop(from place: Int) {
        while open.count > place {
            if let name = open.popLast() { counts[name, default: 1] -= 1 }
        }
        if open.isEmpty { removeAll() }
    }

    private mutating func removeAll() {
        open.removeAll()
        counts.removeAll()
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
