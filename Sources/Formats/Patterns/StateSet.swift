/// A set of small numbers, one bit each.
struct StateSet: Hashable, Sendable {
    private(set) var words: [UInt64]

    init(words count: Int) {
        words = [UInt64](repeating: 0, count: count)
    }

    mutating func insert(_ state: Int) { words[state / 64] |= 1 << UInt64(state % 64) }

    mutating func remove(_ state: Int) { words[state / 64] &= ~(1 << UInt64(state % 64)) }

    func contains(_ state: Int) -> Bool { words[state / 64] & (1 << UInt64(state % 64)) != 0 }

    mutating func formUnion(_ other: StateSet) {
        for index in words.indices where other.words[index] != 0 { words[index] |= other.words[index] }
    }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    var states: [Int] {
        var states: [Int] = []
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                states.append(index * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
        return states
    }
}
