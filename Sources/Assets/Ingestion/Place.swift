/// A document's place among those that are worked on at once, which it gives to others while it waits.
struct Place: WorkPermit.Yieldable {
    let item: ItemID
    /// The bytes that the document keeps in memory while it waits.
    let heldBytes: Int
    let mailbox: Mailbox<IngestionPlan.Event>

    func yield(
        while wait: @Sendable () async throws(CancellationError) -> Void
    ) async throws(CancellationError) {
        guard mailbox.send(.paused(item, heldBytes: heldBytes)) else { return try await wait() }
        var failure: CancellationError?
        do throws(CancellationError) { try await wait() } catch { failure = error }
        await regain()
        if failure != nil || Task.isCancelled { throw CancellationError() }
    }

    /// Waits until there is a place again, or the operation has ended.
    private func regain() async {
        await withCheckedContinuation { continuation in
            let turn = Turn(continuation)
            if !mailbox.send(.wantsPlace(item, turn)) { turn.come() }
        }
    }

    /// The right to go on, which comes once.
    struct Turn: Sendable {
        private let continuation: CheckedContinuation<Void, Never>

        init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = continuation }

        func come() { continuation.resume() }
    }
}
