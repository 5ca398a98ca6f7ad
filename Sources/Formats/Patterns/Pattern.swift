/// A regular expression that a value must match whole, in a time that grows with the value's length alone.
///
/// Swift's `Regex` backtracks: a few hundred bytes of a caller's can keep it busy for good (CWE-1333). Here the pattern
/// becomes an automaton that reads each byte once; what such an automaton cannot do is no part of the syntax.
public struct Pattern: Sendable {
    /// No value of a parameter is longer, in bytes.
    public static let longestValue = 2048

    public let text: String
    private let node: PatternNode
    private let automaton: PositionAutomaton

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

    /// Tells whether all of `value` matches. Printable ASCII alone, and its length comes first.
    public func matches(_ value: String) -> Bool {
        guard value.utf8.count <= Self.longestValue else { return false }
        var value = value
        return value.withUTF8 { automaton.matches($0) }
    }

    /// The questions that the catalog asks of a pattern for hosts.
    package var values: PatternValues { PatternValues(PatternPositions(node)) }
}
