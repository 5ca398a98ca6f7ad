/// The values that match a pattern, as a set that can be asked about. The catalog decides by it whether a pattern for
/// hosts is narrow enough.
package struct PatternValues {
    private let positions: PatternPositions

    init(_ positions: PatternPositions) {
        self.positions = positions
    }

    /// Tells whether the pattern writes every value out: no classes, no repetition without end.
    package var areEnumerated: Bool {
        positions.bytes.allSatisfy { $0.single != nil } && !positions.bytes.indices.contains(where: isRepeated)
    }

    /// Tells whether some matching value may hold `byte`. May say yes where no such value exists, never no where one
    /// does.
    package func mayHold(_ byte: UInt8) -> Bool { positions.bytes.contains { $0.contains(byte) } }

    /// Tells whether each `byte` of a matching value is one that the pattern writes out, outside of repetition without
    /// end: so no value has more of them than the pattern.
    package func writesOut(_ byte: UInt8) -> Bool {
        positions.bytes.indices.allSatisfy {
            !positions.bytes[$0].contains(byte) || (positions.bytes[$0].single == byte && !isRepeated($0))
        }
    }

    /// The longest text that all matching values are seen to end in, at most 256 bytes; empty where there is none.
    package var commonEnd: String {
        var end: [UInt8] = []
        var current = positions.accepting
        if positions.acceptsNothing { return "" }
        while end.count < 256 {
            let states = current.states
            guard let first = states.first, let byte = positions.bytes[first].single,
                states.allSatisfy({ positions.bytes[$0].single == byte })
            else { break }
            end.append(byte)
            // One of them may be a value's first byte.
            if states.contains(where: { positions.entry.contains($0) }) { break }
            var before = StateSet(words: current.words.count)
            for position in positions.bytes.indices
            where states.contains(where: { positions.follow[position].contains($0) }) {
                before.insert(position)
            }
            current = before
        }
        return String(decoding: end.reversed(), as: UTF8.self)
    }

    /// Tells whether `position` may be reached from itself.
    private func isRepeated(_ position: Int) -> Bool {
        var reached = positions.follow[position]
        var waiting = reached.states
        while let next = waiting.popLast() {
            if next == position { return true }
            for state in positions.follow[next].states where !reached.contains(state) {
                reached.insert(state)
                waiting.append(state)
            }
        }
        return false
    }
}
