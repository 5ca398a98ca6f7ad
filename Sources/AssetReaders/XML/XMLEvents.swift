import Formats

/// Reads an XML document as a stream of events, in one pass, in time and memory that grow with its bytes alone.
///
/// There are no entities but the five of XML itself and HTML's names for characters, which feeds use without declaring
/// them: a document type declaration is refused. Nothing is fetched. Checked is what a reader relies on: tags match and
/// are whole, attributes are quoted and told once. The C libraries at hand take time that grows with the square of an
/// element's attributes.
///
/// ```swift
/// var events = try XMLEvents(bytes, charset: content.charset)
/// while let event = try events.next() {
///     if case .start(let element) = event, element.name == title { print(try events.readText()) }
/// }
/// ```
struct XMLEvents {
    private struct Open {
        var qualifiedName: Range<Int>
        var name: XMLName
        var prefixes: [String]
    }

    private let limits: XMLLimits
    private var scanner: XMLScanner
    private var open: [Open] = []
    private var namespaces = XMLNamespaces()
    /// The last tag was an empty-element tag, whose end comes next.
    private var endsElement = false
    private var hasRoot = false
    /// The one that ended the reading.
    private var fault: XMLFault?

    /// - Parameter charset: the declared one. Else the document's own declaration counts (RFC 7303 § 3).
    init(_ bytes: [UInt8], charset: String? = nil, limits: XMLLimits = XMLLimits()) throws(XMLFault) {
        self.limits = limits
        guard let text = TextDecoding.text(of: bytes, charset: charset ?? XMLDeclaration.charset(of: bytes)) else {
            throw .notText
        }
        scanner = XMLScanner(text)
    }

    /// The number of elements around the place.
    var depth: Int { open.count }

    /// The next event; `nil` at the document's end. After a fault there is only the fault.
    mutating func next() throws(XMLFault) -> XMLEvent? {
        if let fault { throw fault }
        do throws(XMLFault) {
            return try step()
        } catch {
            fault = error
            throw error
        }
    }

    /// The text within the element that has just begun, to its end: that of elements in it too.
    ///
    /// - Parameter limit: the most bytes to keep; what is beyond is passed over.
    mutating func readText(atMost limit: Int = .max) throws(XMLFault) -> String {
        var text = ""
        try readElement { event in
            guard case .text(let piece) = event, text.utf8.count < limit else { return }
            text += piece
        }
        guard text.utf8.count > limit else { return text }
        return String(decoding: text.utf8.prefix(limit), as: UTF8.self)
    }

    /// The markup within the element that has just begun, to its end, as it stands in the document: UTF-8.
    mutating func readMarkup() throws(XMLFault) -> ArraySlice<UInt8> {
        let start = scanner.position
        var end = start
        guard !endsElement else {
            _ = try next()
            return scanner[start..<start]
        }
        let outer = depth - 1
        while depth > outer {
            end = scanner.position
            guard try next() != nil else { break }
        }
        return scanner[start..<end]
    }

    /// Passes over the element that has just begun, to its end.
    mutating func skipElement() throws(XMLFault) { try readElement { _ in } }

    private mutating func readElement(_ body: (XMLEvent) -> Void) throws(XMLFault) {
        let outer = depth - 1
        while depth > outer, let event = try next() { body(event) }
    }
}

// MARK: - The grammar

extension XMLEvents {
    private var malformed: XMLFault { scanner.isAtEnd ? .truncated : .malformed(line: scanner.line) }

    private mutating func step() throws(XMLFault) -> XMLEvent? {
        if endsElement { return endElement() }
        while !scanner.isAtEnd {
            if scanner.next != UInt8(ascii: "<") {
                if let text = try text() { return .text(text) }
            } else if scanner.take("<?") {
                guard scanner.take(upTo: "?>") != nil else { throw .truncated }
            } else if scanner.take("<!--") {
                guard scanner.take(upTo: "-->") != nil else { throw .truncated }
            } else if scanner.take("<!DOCTYPE") {
                throw .documentType
            } else if scanner.take("<![CDATA[") {
                guard !open.isEmpty else { throw malformed }
                guard let data = scanner.take(upTo: "]]>") else { throw .truncated }
                if !data.isEmpty { return .text(String(decoding: scanner[data], as: UTF8.self)) }
            } else if scanner.take("</") {
                return try endTag()
            } else {
                scanner.advance()
                return try startTag()
            }
        }
        guard hasRoot, open.isEmpty else { throw .truncated }
        return nil
    }

    /// A piece of character data; `nil` for the space around the root element.
    private mutating func text() throws(XMLFault) -> String? {
        guard !open.isEmpty else {
            guard scanner.skipSpace() else { throw malformed }
            return nil
        }
        let piece = scanner.takeText(atMost: 65536, referenceCount: CharacterReference.longest)
        return CharacterReference.replaced(in: scanner[piece])
    }

    private mutating func startTag() throws(XMLFault) -> XMLEvent {
        guard open.count < limits.depth else { throw .beyondLimits(line: scanner.line) }
        guard !hasRoot || !open.isEmpty else { throw malformed }
        hasRoot = true
        let nameRange = try name()
        var attributes: [(name: String, value: String)] = []
        while true {
            let hasSpace = scanner.skipSpace()
            if scanner.take(">") { break }
            if scanner.take("/>") {
                endsElement = true
                break
            }
            guard hasSpace else { throw malformed }
            guard attributes.count < limits.attributes else { throw .beyondLimits(line: scanner.line) }
            attributes.append(try attribute())
        }
        return .start(try begin(nameRange, attributes))
    }

    private mutating func begin(
        _ nameRange: Range<Int>, _ pairs: [(name: String, value: String)]
    ) throws(XMLFault) -> XMLElement {
        var prefixes: [String] = []
        for (name, value) in pairs where name == "xmlns" || name.utf8.starts(with: "xmlns:".utf8) {
            let prefix = String(name.dropFirst(name == "xmlns" ? 5 : 6))
            namespaces.declare(prefix, as: value)
            prefixes.append(prefix)
        }
        var element = XMLElement(name: namespaces.elementName(try text(ofName: nameRange)), attributes: [])
        for (name, value) in pairs where name != "xmlns" && !name.utf8.starts(with: "xmlns:".utf8) {
            element.attributes.append(XMLAttribute(name: namespaces.attributeName(name), value: value))
        }
        guard Set(pairs.map(\.name)).count == pairs.count else { throw .malformed(line: scanner.line) }
        open.append(Open(qualifiedName: nameRange, name: element.name, prefixes: prefixes))
        return element
    }

    private mutating func attribute() throws(XMLFault) -> (name: String, value: String) {
        let name = try text(ofName: try name())
        scanner.skipSpace()
        guard scanner.take("=") else { throw malformed }
        scanner.skipSpace()
        let quote = scanner.next
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { throw malformed }
        scanner.advance()
        let value = scanner.take(atMost: limits.valueBytes) { $0 == quote || $0 == UInt8(ascii: "<") }
        guard scanner.next == quote else {
            throw value.count == limits.valueBytes ? .beyondLimits(line: scanner.line) : malformed
        }
        scanner.advance()
        return (name, CharacterReference.replaced(in: scanner[value], spacesForControls: true))
    }

    private mutating func endTag() throws(XMLFault) -> XMLEvent? {
        let nameRange = try name()
        scanner.skipSpace()
        guard scanner.take(">") else { throw malformed }
        guard let last = open.last, scanner[last.qualifiedName].elementsEqual(scanner[nameRange]) else {
            throw .malformed(line: scanner.line)
        }
        return endElement()
    }

    private mutating func endElement() -> XMLEvent? {
        endsElement = false
        guard let last = open.popLast() else { return nil }
        namespaces.undeclare(last.prefixes)
        return .end(last.name)
    }

    private mutating func name() throws(XMLFault) -> Range<Int> {
        let range = scanner.takeName(atMost: limits.nameBytes + 1)
        guard !range.isEmpty else { throw malformed }
        guard range.count <= limits.nameBytes else { throw .beyondLimits(line: scanner.line) }
        return range
    }

    private func text(ofName range: Range<Int>) throws(XMLFault) -> String {
        guard let name = String(untrusted: scanner[range]) else { throw malformed }
        return name
    }
}
