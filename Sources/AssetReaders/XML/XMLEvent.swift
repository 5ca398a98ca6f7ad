/// A step in the reading of an XML document.
enum XMLEvent: Sendable, Hashable {
    case start(XMLElement)
    /// A piece of character data, CDATA sections among it, references replaced. Long data comes in several pieces.
    case text(String)
    /// The end of the element that began last and has not ended.
    case end(XMLName)
}

/// A name of an element or attribute, in its namespace (Namespaces in XML 1.0 § 2.1).
struct XMLName: Sendable, Hashable {
    /// The local part; the name as it stands, such as `media:title`, where nothing declares its prefix.
    var local: String
    var namespace: String?

    init(_ local: String, in namespace: String? = nil) {
        self.local = local
        self.namespace = namespace
    }
}

/// The start of an element.
struct XMLElement: Sendable, Hashable {
    var name: XMLName
    /// In the order of the text, without those that declare namespaces.
    var attributes: [XMLAttribute]

    /// The value of an attribute; one without prefix is in no namespace, whatever its element is in.
    subscript(_ local: String, in namespace: String? = nil) -> String? {
        attributes.first { $0.name == XMLName(local, in: namespace) }?.value
    }
}

/// An attribute of an element, references replaced.
struct XMLAttribute: Sendable, Hashable {
    var name: XMLName
    var value: String
}

/// The bounds within which a document is read.
struct XMLLimits: Sendable {
    /// The deepest nesting.
    var depth = 256
    /// The most attributes of one element, declarations of namespaces included.
    var attributes = 256
    /// The most bytes of a name.
    var nameBytes = 256
    /// The most bytes of an attribute's value as it stands in the document.
    var valueBytes = 65536
}

/// A reason why a document could not be read further.
enum XMLFault: Error, Sendable, Hashable {
    /// A document type declaration: it may define entities that grow without end, and name files and addresses.
    case documentType
    /// It does not match the grammar.
    case malformed(line: Int)
    /// It ends before its root element does.
    case truncated
    /// It goes beyond one of the limits.
    case beyondLimits(line: Int)
    /// Its bytes are no text of any charset that is known.
    case notText

    /// For people, as the end of a sentence about the document.
    var reason: String {
        switch self {
        case .documentType: "it has a document type declaration, which is not read"
        case .malformed(let line): "it is no well-formed XML at line \(line)"
        case .truncated: "its XML ends too early"
        case .beyondLimits(let line): "its XML is nested too deeply or too large in its parts at line \(line)"
        case .notText: "it is not text"
        }
    }
}
