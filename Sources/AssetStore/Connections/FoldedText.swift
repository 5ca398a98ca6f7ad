import Foundation

/// A name or a search without regard to letters' case, as both are compared: a name holds a search where its folded
/// bytes hold the other's.
struct FoldedText {
    let text: String

    /// More is not looked at: names are hostile, and Unicode's normal form takes long where marks follow one another.
    private static let mostBytes = 1024

    init(_ text: String) {
        let start = text.utf8.prefix(Self.mostBytes / 4)
        // Most names are ASCII, for which the rules below come to this.
        guard !start.allSatisfy({ $0 < 0x80 }) else {
            self.text = String(decoding: start.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
            return
        }
        let short = Substring(text).unicodeScalars.prefix(Self.mostBytes / 4)
        // Upper case first, so that letters that have one upper case are one: `σ` and `ς`, `ss` and `ß`.
        self.text = String(short).precomposedStringWithCanonicalMapping.uppercased().lowercased()
    }

    /// For a statement; NULL where all names are wanted.
    static func search(_ text: String?) -> SQLValue {
        guard let text, !text.isEmpty else { return .null }
        return .text(FoldedText(text).text)
    }
}
