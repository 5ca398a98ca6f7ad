/// Writes JSON member by member, for small answers whose cost would mostly be an encoder's. The caller writes brackets
/// and commas itself.
package struct JSONWriter {
    /// The text so far, in UTF-8.
    package private(set) var bytes: [UInt8] = []

    /// An empty text, with room for the answers of most calls.
    package init() {
        bytes.reserveCapacity(512)
    }

    /// Appends `text` as it is: brackets, names, commas.
    package mutating func literal(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends an integer in decimal.
    package mutating func number(_ number: Int64) {
        bytes.append(contentsOf: String(number).utf8)
    }

    /// Appends a text in quotation marks, escaped as RFC 8259 § 7 demands and no further.
    package mutating func string(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            if utf8.everyByte({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes.append(contentsOf: utf8)
            } else {
                escaped(utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escaped(_ text: UnsafeBufferPointer<UInt8>) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x08: literal("\\b")
            case 0x09: literal("\\t")
            case 0x0A: literal("\\n")
            case 0x0C: literal("\\f")
            case 0x0D: literal("\\r")
            case 0..<0x20:
                literal("\\u00")
                bytes += [UInt8(0x30) + byte >> 4, Self.hexDigits[Int(byte & 0xF)]]
            default: bytes.append(byte)
            }
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Appends a value, an object's members in the order of their names. Throws for numbers that JSON lacks
    /// (RFC 8259 § 6).
    package mutating func value(_ value: JSONValue) throws {
        switch value {
        case .null: literal("null")
        case .bool(let flag): literal(flag ? "true" : "false")
        case .integer(let whole): number(whole)
        case .digits(let digits): bytes.append(contentsOf: digits.text.utf8)
        case .number(let number):
            guard number.isFinite else { throw NotFinite() }
            // Whole numbers stay whole: an account number must not come back as 1e15.
            if let whole = Int64(exactly: number) {
                self.number(whole)
            } else {
                bytes.append(contentsOf: number.description.utf8)
            }
        case .string(let text): string(text)
        case .array(let values):
            literal("[")
            for (index, value) in values.enumerated() {
                if index > 0 { literal(",") }
                try self.value(value)
            }
            literal("]")
        case .object(let members):
            literal("{")
            for (index, (name, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { literal(",") }
                string(name)
                literal(":")
                try self.value(value)
            }
            literal("}")
        }
    }

    private struct NotFinite: Error {}
}

extension JSONValue {
    /// The text on one line, members in the order of their names. Throws for numbers that JSON lacks (RFC 8259 § 6).
    package func encoded() throws -> [UInt8] {
        var json = JSONWriter()
        try json.value(self)
        return json.bytes
    }

    /// The text for people: a line for each member and element. Throws for numbers that JSON lacks (RFC 8259 § 6).
    package func indented() throws -> String {
        var text = ""
        try indent(into: &text, by: "")
        return text
    }

    private func indent(into text: inout String, by margin: String) throws {
        let inner = margin + "  "
        switch self {
        case .array(let values):
            text += "[\n"
            for (index, value) in values.enumerated() {
                text += index == 0 ? inner : ",\n\(inner)"
                try value.indent(into: &text, by: inner)
            }
            text += "\n\(margin)]"
        case .object(let members):
            text += "{\n"
            for (index, (name, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                text += index == 0 ? inner : ",\n\(inner)"
                text += String(decoding: try JSONValue.string(name).encoded(), as: UTF8.self) + " : "
                try value.indent(into: &text, by: inner)
            }
            text += "\n\(margin)}"
        default: text += String(decoding: try encoded(), as: UTF8.self)
        }
    }
}
