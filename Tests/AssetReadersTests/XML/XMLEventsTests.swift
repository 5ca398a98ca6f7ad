import Testing

@testable import AssetReaders

struct XMLEventsTests {
    @Test func `elements, attributes and text come in the order of the document`() throws {
        let events = try all("<?xml version='1.0'?><!-- note --><a x='1' y=\"&lt;2&#x41;\"> b <c/>d</a>\n")
        #expect(
            events == [
                .start(element("a", ["x": "1", "y": "<2A"])), .text(" b "), .start(element("c")), .end(XMLName("c")),
                .text("d"), .end(XMLName("a")),
            ])
    }

    @Test func `names are told with the namespace that their prefix has here`() throws {
        let events = try all("<a xmlns='urn:d' xmlns:p='urn:p' x='1' p:y='2'><p:b xmlns:p='urn:q'/><p:c xmlns=''/></a>")
        var root = XMLElement(name: XMLName("a", in: "urn:d"), attributes: [])
        root.attributes = [
            XMLAttribute(name: XMLName("x"), value: "1"), XMLAttribute(name: XMLName("y", in: "urn:p"), value: "2"),
        ]
        #expect(events.first == .start(root))
        #expect(root["y", in: "urn:p"] == "2")
        #expect(root["y"] == nil)
        #expect(events[1] == .start(XMLElement(name: XMLName("b", in: "urn:q"), attributes: [])))
        #expect(events[3] == .start(XMLElement(name: XMLName("c", in: "urn:p"), attributes: [])))
    }

    @Test func `a prefix that nothing declares stays in the name`() throws {
        #expect(try all("<media:title/>").first == .start(element("media:title")))
    }

    @Test func `CDATA is text as it stands`() throws {
        #expect(try text("<a>1<![CDATA[<b>&amp;]]>2</a>") == "1<b>&amp;2")
    }

    @Test func `the names of HTML's characters are read without declaration, and others stay as they are`() throws {
        #expect(try text("<a>&eacute;&nbsp;&unknown; & &amp;</a>") == "é\u{A0}&unknown; & &")
    }

    @Test func `no number makes a NUL or half a pair`() throws {
        #expect(try text("<a>&#0;&#xD800;&#x110000;&#99999999999;</a>") == "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}")
    }

    @Test(arguments: [
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<!DOCTYPE a SYSTEM 'http://example.com/a.dtd'><a/>",
    ])
    func `a document type declaration is refused`(_ document: String) {
        #expect(throws: XMLFault.documentType) { try all(document) }
    }

    @Test(arguments: [
        "<a></b>", "<a", "<a>", "", "text", "<a/><b/>", "<a/>text", "<a x=1/>", "<a x='1'y='2'/>", "<a x='1' x='2'/>",
        "<a x='<'/>", "<1/>", "< a/>", "<a><![CDATA[x</a>", "<a><!-- x</a>", "</a>", "<a></a></a>", "<a x/>",
        "<a x='/>",
        "<a><!ELEMENT></a>", "<a>\0</a>",
    ])
    func `what is not well-formed is refused`(_ document: String) {
        #expect(throws: XMLFault.self) { try all(document) }
    }

    @Test func `a fault names its line, and stays`() throws {
        var events = try XMLEvents(Array("<a>\n<b>\n</a>".utf8))
        #expect(throws: XMLFault.malformed(line: 3)) { while try events.next() != nil {} }
        #expect(throws: XMLFault.malformed(line: 3)) { try events.next() }
    }

    @Test func `nesting, attributes, names and values have bounds`() {
        let attributes = (0..<257).map { " a\($0)=''" }.joined()
        for document in [
            String(repeating: "<a>", count: 100_000), "<a\(attributes)/>", "<\(String(repeating: "a", count: 300))/>",
            "<a b='\(String(repeating: "c", count: 70_000))'/>",
        ] {
            #expect(throws: XMLFault.beyondLimits(line: 1)) { try all(document) }
        }
    }

    @Test func `long text comes in pieces that cut no character and no reference`() throws {
        let text = String(repeating: "ä&amp;€😀", count: 50_000)
        let events = try all("<a>\(text)</a>")
        #expect(events.count > 4)
        #expect(try self.text("<a>\(text)</a>") == String(repeating: "ä&€😀", count: 50_000))
    }

    @Test func `the text of an element is that of the elements in it, up to the bound`() throws {
        var events = try XMLEvents(Array("<a><b>1<c>2</c>3</b><d/></a>".utf8))
        _ = try events.next()
        _ = try events.next()
        #expect(try events.readText() == "123")
        #expect(try events.next() == .start(element("d")))
        #expect(try events.readText() == "")
        #expect(try events.next() == .end(XMLName("a")))
    }

    @Test func `an element can be passed over, or taken as markup`() throws {
        var events = try XMLEvents(Array("<a><b>1<c>2</c></b><d>1 &lt; <i>2</i></d><e/><f></f></a>".utf8))
        for _ in 0..<2 { _ = try events.next() }
        try events.skipElement()
        #expect(try events.next() == .start(element("d")))
        #expect(String(decoding: try events.readMarkup(), as: UTF8.self) == "1 &lt; <i>2</i>")
        #expect(try events.next() == .start(element("e")))
        #expect(try events.readMarkup().isEmpty)
        #expect(try events.next() == .start(element("f")))
        #expect(try events.readMarkup().isEmpty)
        #expect(try events.next() == .end(XMLName("a")))
    }

    @Test func `the document's own encoding counts where none is declared beside it`() throws {
        let document = Array("<?xml version=\"1.0\" encoding='ISO-8859-2'?><a>".utf8) + [0xB1] + Array("</a>".utf8)
        #expect(try text(document) == "ą")
        #expect(try text(document, charset: "iso-8859-1") == "±")
    }

    @Test func `every prefix and every changed byte of a document is read to an event or a fault`() {
        let document = Array(
            "<?xml version='1.0'?><a xmlns:p='urn:p' p:x='&#65;'><![CDATA[b]]>&amp;<!-- c --><d/>é</a>".utf8)
        for count in 0...document.count { readAll(Array(document[..<count])) }
        for position in document.indices {
            for byte in [0x00, 0x26, 0x3C, 0x3E, 0x22, 0x27, 0x2F, 0x80, 0xFF] as [UInt8] {
                var changed = document
                changed[position] = byte
                readAll(changed)
            }
        }
    }

    private func readAll(_ document: [UInt8]) {
        guard var events = try? XMLEvents(document) else { return }
        while let event = try? events.next() { _ = event }
    }

    private func element(_ name: String, _ attributes: KeyValuePairs<String, String> = [:]) -> XMLElement {
        XMLElement(
            name: XMLName(name), attributes: attributes.map { XMLAttribute(name: XMLName($0.key), value: $0.value) })
    }

    private func all(_ document: String) throws -> [XMLEvent] {
        var events = try XMLEvents(Array(document.utf8))
        var all: [XMLEvent] = []
        while let event = try events.next() { all.append(event) }
        return all
    }

    private func text(_ document: String) throws -> String { try text(Array(document.utf8)) }

    private func text(_ document: [UInt8], charset: String? = nil) throws -> String {
        var events = try XMLEvents(document, charset: charset)
        _ = try events.next()
        return try events.readText()
    }
}
