import Formats

/// HTML's names for characters (HTML § 13.5), the five of XML among them.
enum CharacterNames {
    /// The name at the beginning of `body`, which is what follows an `&`, and the place behind it.
    static func read(_ body: ArraySlice<UInt8>, in language: CharacterReference.Language) -> (text: String, end: Int)? {
        let name = body.prefix { $0.isASCIILetterOrDigit }
        guard !name.isEmpty else { return nil }
        if body.dropFirst(name.count).first == UInt8(ascii: ";"), let entry = entry(name) {
            return (entry.text, name.endIndex + 1)
        }
        guard language == .html else { return nil }
        // The longest of those that need no semicolon; none has more than six letters.
        for count in stride(from: min(name.count, 6), to: 1, by: -1) {
            if let entry = entry(name.prefix(count)), !entry.needsSemicolon {
                return (entry.text, name.startIndex + count)
            }
        }
        return nil
    }

    private struct Entry {
        var text: String
        var needsSemicolon: Bool
    }

    private static func entry(_ name: ArraySlice<UInt8>) -> Entry? { table[String(decoding: name, as: UTF8.self)] }

    /// From lines such as `amp? 26`: the name, `?` where the semicolon may be left out, the scalars in hexadecimal.
    private static let table: [String: Entry] = {
        var table: [String: Entry] = [:]
        for line in PackageResources.CharacterReferences_txt.split(separator: 0x0A) {
            let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            let scalars = words.dropFirst().compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }
            let needsSemicolon = words[0].utf8.last != UInt8(ascii: "?")
            table[String(needsSemicolon ? words[0][...] : words[0].dropLast())] = Entry(
                text: String(String.UnicodeScalarView(scalars)), needsSemicolon: needsSemicolon)
        }
        return table
    }()
}
