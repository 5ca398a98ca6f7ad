/// The documents of one operation that are begun and not finished, and which of them hold a place.
struct OpenDocuments: Sendable {
    private enum Stage {
        case works
        /// Parts of a document may wait beside one another; it has its place back when the last one goes on.
        case paused(parts: Int, heldBytes: Int)
        /// It is being written down.
        case leaves
    }

    private var stages: [ItemID: Stage] = [:]
    /// The documents that hold a place.
    private(set) var working = 0
    /// The bytes that those hold which wait.
    private(set) var pausedBytes = 0

    var count: Int { stages.count }

    mutating func start(_ item: ItemID) {
        stages[item] = .works
        working += 1
    }

    /// Opens one that needs no place.
    mutating func settle(_ item: ItemID) { stages[item] = .leaves }

    mutating func pause(_ item: ItemID, heldBytes: Int) {
        switch stages[item] {
        case .works:
            stages[item] = .paused(parts: 1, heldBytes: heldBytes)
            working -= 1
            pausedBytes += heldBytes
        case .paused(let parts, let bytes): stages[item] = .paused(parts: parts + 1, heldBytes: bytes)
        case .leaves, nil: break
        }
    }

    /// Tells whether a part of the document that goes on needs a place for it.
    func needsPlace(_ item: ItemID) -> Bool {
        if case .paused(parts: 1, _) = stages[item] { true } else { false }
    }

    mutating func goOn(_ item: ItemID) {
        guard case .paused(let parts, let bytes) = stages[item] else { return }
        if parts > 1 { return stages[item] = .paused(parts: parts - 1, heldBytes: bytes) }
        stages[item] = .works
        working += 1
        pausedBytes -= bytes
    }

    /// Gives the place of a document away for good. `false` where it had none.
    mutating func leave(_ item: ItemID) -> Bool {
        switch stages[item] {
        case .works: working -= 1
        case .paused(_, let bytes): pausedBytes -= bytes
        case .leaves, nil: return false
        }
        stages[item] = .leaves
        return true
    }

    mutating func end(_ item: ItemID) { stages[item] = nil }
}
