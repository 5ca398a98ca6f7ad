package import Broker
import Dispatch
package import Formats
import Secrets

/// Writes down what failed redemptions there were, a moment after they were answered and several at a time: no answer
/// waits for it, and no caller can tell from the time of an answer whether there was anything to write.
package final class FailedRedemptions: Sendable {
    /// Until what was noted is written.
    private static let delayMilliseconds = 250
    /// So many are written at once, without waiting for more.
    private static let most = 1024
    /// So many presentations of one spent or unreadable key have an event each (Docs/Contract.md#redeeming); the metric
    /// counts them all.
    package static let mostPerKey: Int64 = 10

    package struct Failure: Sendable {
        package let redemption: Redemption
        package let outcome: Redemption.Outcome

        /// The flow, where the key was right once or cannot be read: of those the first ten are kept.
        package var placement: Placement? {
            switch outcome {
            case .reused(let placement), .unreadable(let placement, _, _): placement
            case .redeemed, .refused: nil
            }
        }
    }

    private struct State: Sendable {
        var noted: [Failure] = []
        /// The last one that began; each waits for the one before.
        var flushing: Task<Void, Never>?
        /// Of refusals that were left out while the store could not write.
        var uncounted: Int64 = 0
        /// The times that each such key came while the store could not write.
        var reuses: [FlowID: Int64] = [:]
    }

    private let ledger: any FailureLedger
    private let budget: RefusalBudget
    private let state = Locked(State())

    package init(_ ledger: some FailureLedger, budget: RefusalBudget) {
        self.ledger = ledger
        self.budget = budget
    }

    package func note(_ redemption: Redemption, _ outcome: Redemption.Outcome) {
        let count = state.withLock {
            $0.noted.append(Failure(redemption: redemption, outcome: outcome))
            return $0.noted.count
        }
        if count == 1 {
            // By the monotonic clock.
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Self.delayMilliseconds)) { [self] in
                _ = begin()
            }
        } else if count == Self.most {
            _ = begin()
        }
    }

    /// Returns when all that was noted before is on the disk, or could not be kept.
    package func flush() async { await begin().value }

    private func begin() -> Task<Void, Never> {
        state.withLock { state in
            let batch = state.noted
            state.noted = []
            let previous = state.flushing
            let task = Task {
                await previous?.value
                if !batch.isEmpty || hasUncounted { await write(batch) }
            }
            state.flushing = task
            return task
        }
    }

    private func write(_ batch: [Failure]) async {
        var kept: [Failure] = []
        var leftOut: Int64 = 0
        for failure in batch {
            if case .refused = failure.outcome, !budget.take(for: failure.redemption.requester.remoteAddress) {
                leftOut += 1
            } else {
                kept.append(failure)
            }
        }
        let count = leftOut + takeUncounted()
        let isDue = count > 0 && budget.takeSummary()
        let recorded: [Event]
        do throws(StoreError) {
            recorded = try await ledger.write(
                kept, leftOut: count, summaryAt: isDue ? batch.last?.redemption.now : nil)
        } catch {
            for event in untaken(kept, leftOut: count) { ledger.tell(.notRecorded(event, error)) }
            return
        }
        for event in recorded { ledger.tell(.recorded(event)) }
        forgetReuses()
    }

    private var hasUncounted: Bool { state.withLock { $0.uncounted > 0 } }

    private func takeUncounted() -> Int64 {
        state.withLock { state in
            defer { state.uncounted = 0 }
            return state.uncounted
        }
    }

    /// The events of what the store could not take, for the log: no more of one spent key than the trail would have.
    /// Counts with the next batch what was left out.
    private func untaken(_ chosen: [Failure], leftOut: Int64) -> [Event] {
        state.withLock { state in
            state.uncounted += leftOut
            return chosen.compactMap { failure -> Event? in
                if let placement = failure.placement {
                    let count = state.reuses[placement.flow, default: 0]
                    guard count < Self.mostPerKey else { return nil }
                    state.reuses[placement.flow] = count + 1
                }
                return failure.redemption.event(failure.outcome)
            }
        }
    }

    private func forgetReuses() { state.withLock { $0.reuses = [:] } }

    /// The event for so many refusals that were not recorded.
    package static func summary(of count: Int64, at now: Timestamp) -> Event {
        Event(.credentialKeyRefused, at: now, detail: "\(count) more were not recorded")
    }
}

/// The store's part in it.
package protocol FailureLedger: Sendable {
    /// Writes the events of those that are still wanted, of each key the first `FailedRedemptions.mostPerKey`, in one
    /// commit with the count of those left out. Gives the events that have their place now.
    ///
    /// - Parameter summaryAt: `nil` unless an event is due for all that were left out.
    func write(
        _ failures: [FailedRedemptions.Failure], leftOut: Int64, summaryAt: Timestamp?
    ) async throws(StoreError) -> [Event]

    /// Passes it on to whoever observes the store.
    func tell(_ event: WriterEvent)
}
