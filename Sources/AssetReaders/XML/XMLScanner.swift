/// A place in the bytes of an XML document, with the steps that its grammar is made of. It never goes back.
struct XMLScanner {
    private let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var isAtEnd: Bool { position >= bytes.count }

    /// The next byte; 0, which stands nowhere in XML, at the end.
    var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    /// The line of the place, from 1. Counts from the beginning: for the one message at the end.
    var line: Int { bytes[..<min(position, bytes.count)].count { $0 == 0x0A } + 1 }

    mutating func advance(by count: Int = 1) { position = min(position + count, bytes.count) }

    /// Goes past `word`, if it stands here.
    mutating func take(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for offset in 0..<count where bytes[position + offset] != word.utf8Start[offset] { return false }
        position += count
        return true
    }

    /// Goes past white space (XML 1.0 § 2.3), and tells whether there was any.
    @discardableResult
    mutating func skipSpace() -> Bool {
        let start = position
        while next == 0x20 || next == 0x0A || next == 0x09 || next == 0x0D { position += 1 }
        return position > start
    }

    /// Goes past the next `word`, and gives what is before it; `nil` where there is none.
    mutating func take(upTo word: StaticString) -> Range<Int>? {
        let start = position
        while position < bytes.count {
            if next == word.utf8Start[0] {
                let end = position
                if take(word) { return start..<end }
            }
            position += 1
        }
        return nil
    }

    /// Goes to the next byte that `isEnd` selects, at most `count` bytes on.
    mutating func take(atMost count: Int, until isEnd: (UInt8) -> Bool) -> Range<Int> {
        let start = position
        let limit = count < bytes.count - start ? start + count : bytes.count
        while position < limit, !isEnd(bytes[position]) { position += 1 }
        return start..<position
    }

    /// Goes to the next tag, or past a piece of text that is long enough by itself, ends in no scalar, and in no
    /// reference of at most `referenceCount` bytes.
    mutating func takeText(atMost count: Int, referenceCount: Int) -> Range<Int> {
        let start = position
        _ = take(atMost: count) { $0 == UInt8(ascii: "<") }
        guard position - start == count, position < bytes.count else { return start..<position }
        while position > start + 1, bytes[position] & 0xC0 == 0x80 { position -= 1 }
        let tail = bytes[max(start + 1, position - referenceCount)..<position]
        if let ampersand = tail.lastIndex(of: UInt8(ascii: "&")), !tail[ampersand...].contains(UInt8(ascii: ";")) {
            position = ampersand
        }
        return start..<position
    }

    /// Goes past a name, prefix and all; empty where there is none. The bytes beyond ASCII are all let through: which
    /// letters a name may have matters to nobody who reads names that he knows.
    mutating func takeName(atMost count: Int) -> Range<Int> {
        guard next.isNameStart else { return position..<position }
        return take(atMost: count) { !$0.isNamePart }
    }

    subscript(_ range: Range<Int>) -> ArraySlice<UInt8> { bytes[range] }
}

extension UInt8 {
    /// Begins a name (XML 1.0 § 2.3, `NameStartChar`).
    fileprivate var isNameStart: Bool {
        switch self {
        case 0x41...0x5A, 0x61...0x7A, 0x5F, 0x3A, 0x80...: true
        default: false
        }
    }

    /// Goes on with a name (`NameChar`).
    fileprivate var isNamePart: Bool {
        switch self {
        case 0x30...0x39, 0x2D, 0x2E: true
        default: isNameStart
        }
    }
}
