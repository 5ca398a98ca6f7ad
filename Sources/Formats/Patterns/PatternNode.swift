/// A pattern as it is written.
indirect enum PatternNode: Sendable {
    case bytes(ByteSet)
    case start
    case end
    case sequence([PatternNode])
    case choice([PatternNode])
    /// `atMost` is `nil` for repetition without end.
    case repeated(PatternNode, atLeast: Int, atMost: Int?)

    /// The number of positions that it takes, each copy of a counted repetition counted. Numbers beyond the most that
    /// an automaton may have are all one.
    var size: Int {
        let size =
            switch self {
            case .bytes: 1
            case .start, .end: 0
            case .sequence(let parts), .choice(let parts): parts.reduce(0) { $0 + $1.size }
            case .repeated(let part, let least, let most): part.size * (most ?? max(least, 1))
            }
        return min(size, PositionAutomaton.mostPositions + 1)
    }

    /// Tells whether a `^` or `$` stands where a byte may come before or after it. Everywhere else it changes nothing,
    /// since the whole value must match.
    func hasMisplacedAnchor(atStart: Bool, atEnd: Bool) -> Bool {
        switch self {
        case .bytes: return false
        case .start: return !atStart
        case .end: return !atEnd
        case .choice(let parts): return parts.contains { $0.hasMisplacedAnchor(atStart: atStart, atEnd: atEnd) }
        case .repeated(let part, _, let most):
            let isOnce = most.map { $0 <= 1 } ?? false
            return part.hasMisplacedAnchor(atStart: atStart && isOnce, atEnd: atEnd && isOnce)
        case .sequence(let parts):
            let sizes = parts.map(\.size)
            let first = sizes.firstIndex { $0 > 0 } ?? parts.endIndex
            let last = sizes.lastIndex { $0 > 0 } ?? parts.startIndex - 1
            return parts.enumerated().contains { index, part in
                part.hasMisplacedAnchor(atStart: atStart && index <= first, atEnd: atEnd && index >= last)
            }
        }
    }
}
