/// A reason why a text is no pattern.
public enum PatternFault: Error, Equatable, Sendable {
    case notASCII
    case tooLong
    /// More states, or more work for each byte, than a match within a millisecond allows.
    case tooLarge
    case tooDeep
    case unbalancedParenthesis
    case openClass
    case emptyClass
    /// `[z-a]`, or a class such as `\d` at an end of a range.
    case range
    /// `{2,1}`, or a brace that begins no repetition.
    case repetition
    case nothingToRepeat
    case unknownEscape
    /// `^` or `$` where something may stand before or after it.
    case anchorInside
    case unsupported(Feature)

    /// Parts of other dialects, some of which no automaton can do.
    public enum Feature: String, Sendable {
        case lookahead
        case lookbehind
        case backreferences
        case namedGroups = "named groups"
        case atomicGroups = "atomic groups"
        case lazyRepetition = "lazy repetition"
        case possessiveRepetition = "possessive repetition"
        case wordBoundaries = "word boundaries and other anchors than ^ and $"
        case characterProperties = "character properties"
        case posixClasses = "POSIX classes"
        case setOperations = "operations on classes"
        case flags = "flags, comments and conditions in groups"
    }

    /// The end of "wanted …".
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
