/// The namespaces that are declared at a place of a document (Namespaces in XML 1.0 § 6).
struct XMLNamespaces {
    /// Of each prefix, innermost last; an empty text undeclares. The default namespace has the prefix "".
    private var declared: [String: [String]] = ["xml": ["http://www.w3.org/XML/1998/namespace"]]

    mutating func declare(_ prefix: String, as namespace: String) { declared[prefix, default: []].append(namespace) }

    /// Ends the scope of the innermost declaration of each of `prefixes`.
    mutating func undeclare(_ prefixes: [String]) {
        for prefix in prefixes { _ = declared[prefix]?.popLast() }
    }

    func elementName(_ qualified: String) -> XMLName { name(qualified, ofAttribute: false) }

    func attributeName(_ qualified: String) -> XMLName { name(qualified, ofAttribute: true) }

    private func name(_ qualified: String, ofAttribute: Bool) -> XMLName {
        guard let colon = qualified.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            return XMLName(qualified, in: ofAttribute ? nil : namespace(of: ""))
        }
        guard let namespace = namespace(of: String(qualified[..<colon])) else { return XMLName(qualified) }
        return XMLName(String(qualified[qualified.utf8.index(after: colon)...]), in: namespace)
    }

    private func namespace(of prefix: String) -> String? {
        guard let namespace = declared[prefix]?.last, !namespace.isEmpty else { return nil }
        return namespace
    }
}
