import Secrets

/// Outcomes of documents until they are written down: by one task at a time, which takes along all that came meanwhile.
final class WaitingOutcomes: Sendable {
    private struct State: Sendable {
        var items = Queue<FinishedItem>()
        var isWriting = false
        /// The last commit was for several.
        var isBusy = false
    }

    /// More in one commit would hold up other operations.
    private static let (mostItems, mostBytes) = (128, 1 << 20)
    /// So many make a commit cheap: it writes as many pages for one as for ten.
    private static let enough = 32

    private let state = Locked(State())

    /// `true`: the caller is to write down what waits, until there is no more.
    func add(_ item: FinishedItem) -> Bool {
        state.withLock { state in
            state.items.append(item)
            defer { state.isWriting = true }
            return !state.isWriting
        }
    }

    /// Others come so fast that more are here in a moment.
    var mayGrow: Bool { state.withLock { $0.isBusy && $0.items.count < Self.enough } }

    /// The outcomes for one commit; `nil` where none waits: then the next to add one writes.
    func next() -> [FinishedItem]? {
        state.withLock { state in
            var (items, bytes): ([FinishedItem], Int) = ([], 0)
            while items.count < Self.mostItems, bytes < Self.mostBytes, let item = state.items.popFirst() {
                items.append(item)
                bytes += item.outcome.size
            }
            state.isWriting = !items.isEmpty
            state.isBusy = items.count > 1
            return items.isEmpty ? nil : items
        }
    }
}

extension ItemOutcome {
    /// The bytes that it keeps in memory, more or less.
    var size: Int {
        var size = found.count * 512
        if case .completed(_, let last) = result {
            for staged in last { size += staged.chunk.content.utf8.count + (staged.vector?.count ?? 0) * 4 }
        }
        return size
    }
}
