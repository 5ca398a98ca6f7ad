/// Runs a pattern over bytes: all positions that the pattern may be at are held at once, as bits, and each byte moves
/// them by a fixed number of operations on words. No byte is read twice, and nothing is allocated on the way.
///
/// Most positions are followed by the next one, which a shift by one bit does for all of them. Those that lead
/// elsewhere do so in groups with the same aim (all bytes of `[a-z]{0,61}` may be the last one): a group is a jump.
struct PositionAutomaton: Sendable {
    static let mostPositions = 4096
    /// The most operations for one byte: with so many, the longest value takes some tenths of a millisecond.
    static let mostCost = 800

    /// About how many operations on words one byte takes.
    let cost: Int
    private let width: Int
    private let entry: [UInt64]
    private let accepting: [UInt64]
    private let acceptsNothing: Bool
    /// Rows of `width` words: the positions that the next one follows; then for each kind of byte, those that take it.
    private let rows: [UInt64]
    /// By byte, the beginning of its row.
    private let rowOf: [Int]
    private let jumps: [Jump]
    private let parts: [Part]

    /// From any of some positions to all of others.
    private struct Jump: Sendable {
        let from: Range<Int>
        let to: Range<Int>
    }

    /// The bits of one word of a set.
    private struct Part: Sendable {
        let word: Int
        let bits: UInt64
    }

    init(_ positions: PatternPositions) {
        entry = positions.entry.words
        accepting = positions.accepting.words
        acceptsNothing = positions.acceptsNothing
        let width = positions.entry.words.count
        let (shifted, groups) = Self.steps(positions, width)
        let takers = Self.takers(positions, width)
        var parts: [Part] = []
        let append = { (set: StateSet) in
            let start = parts.count
            for (word, bits) in set.words.enumerated() where bits != 0 { parts.append(Part(word: word, bits: bits)) }
            return start..<parts.count
        }
        jumps = groups.map { Jump(from: append($0.from), to: append($0.to)) }
        cost = 4 * width + 4 * jumps.count + parts.count
        self.parts = parts
        self.width = width
        rowOf = takers.rowOf.map { ($0 + 1) * width }
        rows = shifted.words + takers.rows.flatMap(\.words)
    }

    /// The positions that the next one follows (`shifted`), and the other steps, grouped by where they lead. A group's
    /// aim includes the next position or not, whichever more positions share.
    private static func steps(
        _ positions: PatternPositions, _ width: Int
    ) -> (shifted: StateSet, groups: [(from: StateSet, to: StateSet)]) {
        let rests = positions.follow.enumerated().map { position, follow in
            var rest = follow
            if position + 1 < positions.follow.count { rest.remove(position + 1) }
            return rest
        }
        var counts: [StateSet: Int] = [:]
        for (follow, rest) in zip(positions.follow, rests) {
            counts[follow, default: 0] += 1
            if rest != follow { counts[rest, default: 0] += 1 }
        }
        var shifted = StateSet(words: width)
        var groups: [(from: StateSet, to: StateSet)] = []
        var indices: [StateSet: Int] = [:]
        for (position, follow) in positions.follow.enumerated() {
            var aim = rests[position]
            if aim != follow, !aim.isEmpty, counts[follow, default: 0] > counts[aim, default: 0] {
                aim = follow
            } else if aim != follow {
                shifted.insert(position)
            }
            if aim.isEmpty { continue }
            let index = indices[aim] ?? groups.count
            if index == groups.count { groups.append((StateSet(words: width), aim)) }
            indices[aim] = index
            groups[index].from.insert(position)
        }
        return (shifted, groups)
    }

    /// The positions that take each byte; bytes that the same positions take share a row.
    private static func takers(_ positions: PatternPositions, _ width: Int) -> (rows: [StateSet], rowOf: [Int]) {
        var takers: [ByteSet: StateSet] = [:]
        for (position, set) in positions.bytes.enumerated() {
            takers[set, default: StateSet(words: width)].insert(position)
        }
        var rows: [StateSet] = []
        var indices: [StateSet: Int] = [:]
        let rowOf = (0..<UInt8(128)).map { byte in
            var row = StateSet(words: width)
            for (set, positions) in takers where set.contains(byte) { row.formUnion(positions) }
            if let known = indices[row] { return known }
            indices[row] = rows.count
            rows.append(row)
            return rows.count - 1
        }
        return (rows, rowOf)
    }

    func matches(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        if value.isEmpty { return acceptsNothing }
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * width) { scratch in
            let current = UnsafeMutableBufferPointer(rebasing: scratch[..<width])
            let next = UnsafeMutableBufferPointer(rebasing: scratch[width...])
            _ = next.initialize(from: entry)
            current.initialize(repeating: 0)
            return rows.withUnsafeBufferPointer { rows in
                for index in value.indices {
                    let byte = value[index]
                    guard byte >= 0x20, byte < 0x7F else { return false }
                    if index > 0 { advance(current, to: next, rows) }
                    let row = rowOf[Int(byte)]
                    var any: UInt64 = 0
                    for word in 0..<width {
                        let taken = next[word] & rows[row + word]
                        current[word] = taken
                        any |= taken
                    }
                    if any == 0 { return false }
                }
                return (0..<width).contains { current[$0] & accepting[$0] != 0 }
            }
        }
    }

    /// The positions after those of `current`, whatever byte comes.
    private func advance(
        _ current: UnsafeMutableBufferPointer<UInt64>, to next: UnsafeMutableBufferPointer<UInt64>,
        _ rows: UnsafeBufferPointer<UInt64>
    ) {
        var carry: UInt64 = 0
        for word in 0..<width {
            let moving = current[word] & rows[word]
            next[word] = moving << 1 | carry
            carry = moving >> 63
        }
        jumps.withUnsafeBufferPointer { jumps in
            parts.withUnsafeBufferPointer { parts in
                for jump in jumps {
                    var isTaken: UInt64 = 0
                    for index in jump.from { isTaken |= current[parts[index].word] & parts[index].bits }
                    if isTaken == 0 { continue }
                    for index in jump.to { next[parts[index].word] |= parts[index].bits }
                }
            }
        }
    }
}
