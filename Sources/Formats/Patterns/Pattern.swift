/// A regular expression that a value must match as a whole, in time that grows with the value's length alone.
///
/// Swift's `Regex` backtracks: a few hundred bytes from a caller can keep it busy for ever (CWE-1333). Here the pattern
/// becomes an automaton that reads each byte once; the syntax has nothing that such an automaton cannot do.
public struct Pattern: Sendable {
    /// The longest value that can match, in bytes.
    public static let longestValue = 2048

    /// The pattern as the catalog has it.
    public let text: String
    private let node: PatternNode
    private let automaton: PositionAutomaton

    /// Compiles a pattern; throws for syntax that is malformed or of another dialect, and for what is too large to
    /// match a value within a millisecond.
    public init(_ text: String) throws(PatternFault) {
        let node = try PatternReader.node(text)
        guard !node.hasMisplacedAnchor(atStart: true, atEnd: true) else { throw .anchorInside }
        guard node.size <= PositionAutomaton.mostPositions else { throw .tooLarge }
        let automaton = PositionAutomaton(PatternPositions(node))
        guard automaton.cost <= PositionAutomaton.mostCost else { throw .tooLarge }
        self.text = text
        self.node = node
        self.automaton = automaton
    }

    /// Tells whether all of `value` matches. Only printable ASCII of at most `longestValue` bytes does; the length is
    /// looked at first.
    public func matches(_ value: String) -> Bool {
        guard value.utf8.count <= Self.longestValue else { return false }
        var value = value
        return value.withUTF8 { automaton.matches($0) }
    }

    /// The values that match, for the catalog's checks of patterns for hosts.
    package var values: PatternValues { PatternValues(PatternPositions(node)) }
}
