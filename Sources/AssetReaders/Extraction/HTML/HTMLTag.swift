import Formats

/// A start tag.
struct HTMLTag: Sendable {
    /// In lower case; empty for names longer than 16 bytes.
    var name: String
    /// From behind the name to the `>`.
    fileprivate var source: ArraySlice<UInt8>

    init(name: String, attributes: ArraySlice<UInt8>) {
        self.name = name
        source = attributes
    }

    /// The value of an attribute, references replaced; empty where it has none. The first counts where there are two.
    ///
    /// - Parameter name: in lower case.
    subscript(_ name: String) -> String? {
        var attributes = HTMLAttributes(source)
        while let attribute = attributes.next() {
            guard attribute.name.count == name.utf8.count,
                zip(attribute.name, name.utf8).allSatisfy({ $0 | 0x20 == $1 || $0 == $1 })
            else { continue }
            return Self.text(attribute.value)
        }
        return nil
    }

    private static func text(_ value: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        var position = value.startIndex
        while position < value.endIndex {
            // A name needs its semicolon here: in addresses `&copy=1` is a parameter (§ 13.2.5.73).
            if value[position] == UInt8(ascii: "&"),
                let (reference, end) = CharacterReference.read(value[position...], in: .xml)
            {
                text += reference.utf8
                position = end
            } else {
                text.append(value[position])
                position += 1
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The attributes of a tag (HTML § 13.2.5.32 to § 13.2.5.40), from behind its name.
struct HTMLAttributes {
    private let bytes: ArraySlice<UInt8>
    /// The place behind what was read: at last, behind the tag.
    private(set) var end: Int
    /// The tag's `>` was found.
    private(set) var isClosed = false

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        end = bytes.startIndex
    }

    private var byte: UInt8? { end < bytes.endIndex ? bytes[end] : nil }

    /// The next attribute; `nil` at the end of the tag, or of all bytes.
    mutating func next() -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
        guard !isClosed else { return nil }
        take { $0.isHTMLSpace || $0 == UInt8(ascii: "/") }
        guard let first = byte else { return nil }
        if first == UInt8(ascii: ">") {
            end += 1
            isClosed = true
            return nil
        }
        let name = attributeName()
        take(while: \.isHTMLSpace)
        guard byte == UInt8(ascii: "=") else { return (name, bytes[end..<end]) }
        end += 1
        take(while: \.isHTMLSpace)
        return (name, value())
    }

    /// A `=` at its beginning belongs to it.
    private mutating func attributeName() -> ArraySlice<UInt8> {
        let start = end
        end += 1
        take { !$0.isHTMLSpace && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "=") }
        return bytes[start..<end]
    }

    private mutating func value() -> ArraySlice<UInt8> {
        guard let quote = byte, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            return take { !$0.isHTMLSpace && $0 != UInt8(ascii: ">") }
        }
        end += 1
        let value = take { $0 != quote }
        if end < bytes.endIndex { end += 1 }
        return value
    }

    @discardableResult
    private mutating func take(while isTaken: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = end
        while end < bytes.endIndex, isTaken(bytes[end]) { end += 1 }
        return bytes[start..<end]
    }
}
