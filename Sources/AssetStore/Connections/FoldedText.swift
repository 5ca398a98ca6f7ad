import Foundation

/// A name or a search without regard to letters' case, as both are compared: a name holds a search where its folded
/// bytes hold the other's.
struct FoldedText {
    let text: String

    /// More is not looked at: names are hostile, and Unicode's normal form takes long where marks follow one another.
    private static let mostBytes = 1024

    init(_ text: String) {
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
