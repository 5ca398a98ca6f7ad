/// Reads headers that strangers sent, byte by byte.
///
/// Never by `Character`: one of 30,000 combining marks takes a third of a second to compare with a comma.
package enum HeaderValue {
    /// The part of a value that counts: all of it where it is ASCII (RFC 9110 § 5.5), else none (`nil`). Two kinds of
    /// headers have several authors, of whom one must not spoil what the others say: of `Cookie`, the pairs in ASCII
    /// count; of the lists that proxies append to, the elements behind the last one that is not. An `Idempotency-Key` is
    /// never absent by what it holds: one that is not ASCII is empty.
    ///
    /// - Parameter name: the header's, in lower case.
    package static func ascii(_ value: String, of name: String) -> String? {
        if value.utf8.everyByte({ $0 < 0x80 }) { return value }
        switch name {
        case "cookie":
            let pairs = value.utf8.split(separator: UInt8(ascii: ";")).filter { $0.allSatisfy { $0 < 0x80 } }
            return pairs.isEmpty ? nil : pairs.map { String(Substring($0)) }.joined(separator: ";")
        case "forwarded", "x-forwarded-for":
            guard let last = value.utf8.lastIndex(where: { $0 >= 0x80 }),
                let comma = value.utf8[last...].firstIndex(of: UInt8(ascii: ","))
            else { return nil }
            return String(Substring(value.utf8[value.utf8.index(after: comma)...]))
        // Absent, it would let a request be done twice; empty, it is refused.
        case "idempotency-key": return ""
        default: return nil
        }
    }

    /// The primary subtags of `Accept-Language` in lower case, those of the highest weight first and `*` as it came;
    /// those of weight 0 are left out (RFC 9110 § 12.5.4).
    package static func languages(_ value: String) -> [String] {
        var asked: [(language: String, quality: Double, place: Int)] = []
        // Nobody speaks more languages; the text behind the twentieth comma is one piece.
        for part in value.utf8.split(separator: UInt8(ascii: ","), maxSplits: 20).prefix(20) {
            let pieces = part.split(separator: UInt8(ascii: ";"), maxSplits: 4).map(trimmed)
            guard let tag = pieces.first else { continue }
            let quality =
                pieces.dropFirst().first { lowercased($0.prefix(2)).isExactly("q=") }.map { weight($0.dropFirst(2)) }
                ?? 1
            let language = lowercased(tag.prefix { $0 != UInt8(ascii: "-") })
            if quality > 0 { asked.append((language, quality, asked.count)) }
        }
        return asked.sorted { ($1.quality, $0.place) < ($0.quality, $1.place) }.map(\.language)
    }

    /// A weight (RFC 9110 § 12.4.2); 1 where it is malformed.
    private static func weight(_ bytes: Substring.UTF8View) -> Double {
        guard (1...8).contains(bytes.count), bytes.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }) else {
            return 1
        }
        return Double(Substring(bytes)) ?? 1
    }

    /// The media type in lower case, without its parameters (RFC 9110 § 8.3.1).
    package static func mediaType(_ value: String) -> String {
        lowercased(trimmed(value.utf8.prefix { $0 != UInt8(ascii: ";") }))
    }

    /// Tells whether the value holds `word`, given in lower case, in any letter case. `nil` holds nothing.
    package static func mentions(_ word: StaticString, _ value: String?) -> Bool {
        let bytes = (value ?? "").utf8.map(lowercased)
        return word.withUTF8Buffer { word in
            // Past the end there is no place for the word.
            (0..<max(0, bytes.count - word.count + 1)).contains { bytes[$0..<$0 + word.count].elementsEqual(word) }
        }
    }

    /// The value of the first cookie of this name in a `Cookie` header (RFC 6265 § 4.2); `nil` where it has none.
    package static func cookie(_ name: String, in line: String) -> String? {
        for pair in line.utf8.split(separator: UInt8(ascii: ";")) {
            let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
            guard pair.starts(with: name.utf8), pair.dropFirst(name.utf8.count).first == UInt8(ascii: "=") else {
                continue
            }
            let value = pair.dropFirst(name.utf8.count + 1)
            return String(decoding: value.prefix { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self)
        }
        return nil
    }

    /// The bytes without spaces and tabs around them (RFC 9110 § 5.6.3).
    package static func trimmed(_ bytes: Substring.UTF8View) -> Substring.UTF8View {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes = bytes.dropLast() }
        return bytes
    }

    /// The text with its ASCII letters in lower case; other bytes stay, and those that are no UTF-8 become U+FFFD.
    package static func lowercased(_ bytes: Substring.UTF8View) -> String {
        String(decoding: bytes.map(lowercased), as: UTF8.self)
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
