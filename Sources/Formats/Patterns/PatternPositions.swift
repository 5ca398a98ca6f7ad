/// The positions of a pattern and which may follow which: Glushkov's automaton, which has a state for each byte that
/// the pattern writes, and one to start from.
struct PatternPositions {
    private(set) var bytes: [ByteSet] = []
    /// By position, the positions that may come next.
    private(set) var follow: [StateSet] = []
    private(set) var entry: StateSet
    private(set) var accepting: StateSet
    private(set) var acceptsNothing = false
    private let nobody: StateSet

    init(_ node: PatternNode) {
        nobody = StateSet(words: max(1, (node.size + 63) / 64))
        entry = nobody
        accepting = nobody
        let whole = part(node)
        entry = whole.first
        accepting = whole.last
        acceptsNothing = whole.isNullable
    }

    /// The ends of a part of the pattern.
    private struct Part {
        var isNullable: Bool
        var first: StateSet
        var last: StateSet
    }

    private mutating func part(_ node: PatternNode) -> Part {
        switch node {
        case .start, .end: return Part(isNullable: true, first: nobody, last: nobody)
        case .bytes(let set):
            var own = nobody
            own.insert(bytes.count)
            bytes.append(set)
            follow.append(nobody)
            return Part(isNullable: false, first: own, last: own)
        case .choice(let branches):
            var whole = Part(isNullable: false, first: nobody, last: nobody)
            for branch in branches {
                let branch = part(branch)
                whole.first.formUnion(branch.first)
                whole.last.formUnion(branch.last)
                whole.isNullable = whole.isNullable || branch.isNullable
            }
            return whole
        case .sequence(let parts): return sequence(parts)
        case .repeated(let inner, let least, let most): return repeated(inner, atLeast: least, atMost: most)
        }
    }

    private mutating func sequence(_ parts: [PatternNode]) -> Part {
        var whole = Part(isNullable: true, first: nobody, last: nobody)
        for node in parts {
            let next = part(node)
            connect(whole.last, to: next.first)
            if whole.isNullable { whole.first.formUnion(next.first) }
            if next.isNullable { whole.last.formUnion(next.last) } else { whole.last = next.last }
            whole.isNullable = whole.isNullable && next.isNullable
        }
        return whole
    }

    /// One copy after another, of which those beyond `atLeast` may be left out from the end.
    ///
    /// The bound `atLeast` does not matter for a part that can itself match nothing: `(a?){3}` is `a{0,3}`.
    private mutating func repeated(_ inner: PatternNode, atLeast: Int, atMost: Int?) -> Part {
        let copies = atMost ?? max(atLeast, 1)
        guard inner.size > 0, copies > 0 else { return Part(isNullable: true, first: nobody, last: nobody) }
        var copy = part(inner)
        let least = copy.isNullable ? 0 : atLeast
        var whole = Part(isNullable: least == 0, first: copy.first, last: nobody)
        for count in 1...copies {
            if count > 1 {
                let next = part(inner)
                connect(copy.last, to: next.first)
                copy = next
            }
            if count >= least { whole.last.formUnion(copy.last) }
        }
        if atMost == nil { connect(copy.last, to: copy.first) }
        return whole
    }

    private mutating func connect(_ last: StateSet, to first: StateSet) {
        for position in last.states { follow[position].formUnion(first) }
    }
}
