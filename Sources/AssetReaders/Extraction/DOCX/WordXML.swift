/// Names in the parts of a Word document (ECMA-376, Part 1).
enum WordXML {
    /// The namespace of WordprocessingML, as Word writes it, and as the strict form of the standard has it.
    private static let namespaces: Set<String> = [
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    ]

    /// Its formulas (§ 22.1) have text too.
    private static let mathNamespaces: Set<String> = [
        "http://schemas.openxmlformats.org/officeDocument/2006/math", "http://purl.oclc.org/ooxml/officeDocument/math",
    ]

    /// What stands where a program does not know a newer thing (Part 3 § 10.2.2).
    static let fallback = XMLName("Fallback", in: "http://schemas.openxmlformats.org/markup-compatibility/2006")

    /// The local name of an element of WordprocessingML; `nil` for others.
    static func local(_ name: XMLName) -> String? {
        name.namespace.map(namespaces.contains) == true ? name.local : nil
    }

    static func isMathText(_ name: XMLName) -> Bool {
        name.local == "t" && name.namespace.map(mathNamespaces.contains) == true
    }

    /// An attribute of WordprocessingML.
    static func attribute(_ local: String, of element: XMLElement) -> String? {
        element.attributes.first { Self.local($0.name) == local }?.value
    }

    static func value(of element: XMLElement) -> String? { attribute("val", of: element) }

    /// Word keeps whole pictures in attributes.
    static var limits: XMLLimits {
        var limits = XMLLimits()
        limits.valueBytes = 16 << 20
        return limits
    }
}
