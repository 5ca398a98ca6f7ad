/// A reason why a text is not accepted as a pattern.
public enum PatternFault: Error, Equatable, Sendable {
    /// It has a byte other than printable ASCII.
    case notASCII
    /// More than 2048 bytes.
    case tooLong
    /// More states, or more work for each byte, than a match within a millisecond allows.
    case tooLarge
    /// More than 50 groups inside one another.
    case tooDeep
    /// A `(` without its `)`, or a `)` too many.
    case unbalancedParenthesis
    /// A `[` without its `]`.
    case openClass
    /// `[]` or `[^]`, which dialects read differently.
    case emptyClass
    /// `[z-a]`, or a class such as `\d` at an end of a range.
    case range
    /// `{2,1}`, or a brace that begins no repetition.
    case repetition
    /// `*`, `+` or `?` at the beginning, or any repetition of `^`, of `$` or of another repetition.
    case nothingToRepeat
    /// A backslash at the end, or before a letter or digit that means nothing.
    case unknownEscape
    /// `^` or `$` where something may stand before or after it.
    case anchorInside
    /// Syntax that other dialects have.
    case unsupported(Feature)

    /// Parts of other dialects; no automaton can do some of them. The raw values are words for operators.
    public enum Feature: String, Sendable {
        /// `(?=…)`, `(?!…)`.
        case lookahead
        /// `(?<=…)`, `(?<!…)`.
        case lookbehind
        /// `\1` to `\9`, `\g`, `\k`.
        case backreferences
        /// `(?<name>…)`, `(?P…)`, `(?'name'…)`.
        case namedGroups = "named groups"
        /// `(?>…)`.
        case atomicGroups = "atomic groups"
        /// `*?`, `+?`, `??`, `{2,}?`.
        case lazyRepetition = "lazy repetition"
        /// `*+`, `++`, `?+`, `{2,}+`.
        case possessiveRepetition = "possessive repetition"
        /// `\b`, `\B`, `\A`, `\z`, `\Z`, `\G`, `\K`.
        case wordBoundaries = "word boundaries and other anchors than ^ and $"
        /// `\p{…}`, `\P{…}`.
        case characterProperties = "character properties"
        /// `[[:alpha:]]`.
        case posixClasses = "POSIX classes"
        /// `[a&&b]`, `[a--b]`, `[a~~b]`, `[a[b]]`.
        case setOperations = "operations on classes"
        /// `(?i)`, `(?#…)`, `(?(1)…)` and all other groups with `?`.
        case flags = "flags, comments and conditions in groups"
    }

    /// The words for operators behind "wanted".
    package var wanted: String {
        switch self {
        case .notASCII: "a regular expression in printable ASCII, as values are"
        case .tooLong: "a regular expression of at most \(PatternReader.longestText) bytes"
        case .tooLarge: "a regular expression with less repetition"
        case .tooDeep: "a regular expression with less nesting"
        case .unbalancedParenthesis: "a regular expression with a ) for each ("
        case .openClass: "a regular expression with a ] for each ["
        case .emptyClass: "a regular expression without an empty class (\\] for the bracket itself)"
        case .range: "a regular expression with ranges from a lower to a higher character"
        case .repetition: "a regular expression with repetition such as {2}, {2,} or {2,5} (\\{ for the brace itself)"
        case .nothingToRepeat: "a regular expression with something to repeat before each *, +, ? and {"
        case .unknownEscape:
            "a regular expression without escapes but \\d, \\w, \\s, their opposites, \\t, \\n, \\r and \\ before marks"
        case .anchorInside: "a regular expression with ^ and $ at its ends alone"
        case .unsupported(let feature): "a regular expression without \(feature.rawValue)"
        }
    }
}
