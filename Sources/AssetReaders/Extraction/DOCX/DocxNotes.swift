/// The footnotes and endnotes of a Word document (ECMA-376, Part 1 § 17.11).
struct DocxNotes {
    /// By kind and number: both kinds count for themselves.
    private var texts: [ID: [UInt8]] = [:]

    struct ID: Hashable {
        fileprivate let kind: String
        fileprivate let number: String
    }

    /// The id of a note whose element begins; `nil` for other elements.
    static func id(ofNote element: XMLElement) -> ID? {
        guard let name = WordXML.local(element.name), name == "footnote" || name == "endnote" else { return nil }
        return WordXML.attribute("id", of: element).map { ID(kind: name, number: $0) }
    }

    mutating func add(_ text: [UInt8], _ id: ID) {
        if !text.isEmpty { texts[id] = text }
    }

    /// The note to which a `footnoteReference` or `endnoteReference` refers, once.
    mutating func take(_ reference: XMLElement) -> [UInt8]? {
        guard let number = WordXML.attribute("id", of: reference) else { return nil }
        let kind = WordXML.local(reference.name) == "footnoteReference" ? "footnote" : "endnote"
        return texts.removeValue(forKey: ID(kind: kind, number: number))
    }
}
