/// A regular expression that a value must match whole.
///
/// `@unchecked Sendable`: `Regex` is not `Sendable` only because it may hold closures; one compiled from text
/// holds none, and nothing changes it after it was made.
public struct Pattern: @unchecked Sendable {
    public let text: String
    private let regex: Regex<AnyRegexOutput>

    /// `nil` where `text` is no regular expression.
    public init?(_ text: String) {
        guard let regex = try? Regex(text) else { return nil }
        self.text = text
        // Classes mean ASCII and a match counts scalars: no other script's digits, no combining marks.
        self.regex = regex.asciiOnlyCharacterClasses().matchingSemantics(.unicodeScalar)
    }

    /// Whether all of `value` matches. At most 256 bytes, which bounds sane patterns (nested
    /// repetition such as `(a+)+` stays slow, and is the catalog author's to avoid); printable ASCII alone, since
    /// some classes mean other scripts' digits and letters too.
    public func matches(_ value: String) -> Bool {
        guard value.utf8.count <= 256, value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return false }
        return (try? regex.wholeMatch(in: value)) != nil
    }
}
