import Broker
import Dispatch
import Formats
import GRDB
import Secrets

/// Writes down what failed redemptions there were, a moment after they were answered and several at a time: no answer
/// waits for it, and no caller can tell from the time of an answer whether there was anything to write.
final class FailedRedemptions: Sendable {
    /// Until what was noted is written.
    private static let delayMilliseconds = 250
    /// So many are written at once, without waiting for more.
    private static let most = 1024
    /// So many presentations of one spent or unreadable key have an event each (Docs/Contract.md#redeeming); the metric
    /// counts them all.
    static let mostPerKey: Int64 = 10

    private struct Failure: Sendable {
        let redemption: Redemption
        let outcome: Redemption.Outcome

        /// The flow, where the key was right once or cannot be read: of those the first ten are kept.
        var placement: Placement? {
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

    private let writer: Writer
    private let budget: RefusalBudget
    private let state = Locked(State())

    init(_ writer: Writer, budget: RefusalBudget) {
        self.writer = writer
        self.budget = budget
    }

    func note(_ redemption: Redemption, _ outcome: Redemption.Outcome) {
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
    func flush() async { await begin().value }

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
            recorded = try await write(kept, leftOut: count, isDue: isDue, last: batch.last)
        } catch {
            for event in untaken(kept, leftOut: count) { writer.tell(.notRecorded(event, error)) }
            return
        }
        for event in recorded { writer.tell(.recorded(event)) }
        forgetReuses()
    }

    private func write(
        _ chosen: [Failure], leftOut count: Int64, isDue: Bool, last: Failure?
    ) async throws(StoreError) -> [Event] {
        try await writer.write(isEnding: true) { transaction in
            let db = transaction.db
            // Also where there is nothing to count: each batch is a commit. SQLite would skip a write that changes
            // nothing.
            try db.run(
                "UPDATE OR FAIL audit_trail SET left_out = left_out + ?, writes = writes + 1",
                .integer(count))
            var events: [Event] = []
            for failure in chosen where try Self.isWanted(failure, in: db) {
                events.append(failure.redemption.event(failure.outcome))
            }
            for event in events { try transaction.record(event) }
            if isDue, let last, let event = try Self.summary(at: last.redemption.now, in: db) {
                try transaction.record(event)
                events.append(event)
            }
            return events
        }
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

    /// The count is with the flow, so that neither a restart nor another broker begins anew.
    private static func isWanted(_ failure: Failure, in db: Database) throws -> Bool {
        guard let placement = failure.placement else { return true }
        let count = try db.first(
            "UPDATE OR FAIL flows SET reuses = reuses + 1 WHERE id = ? AND reuses < ? RETURNING reuses",
            .blob(placement.flow.bytes), .integer(mostPerKey)
        ) { $0.integer(0) }
        return count != nil
    }

    /// One event for all refusals that the budget had no room for since the last such event.
    static func summary(at now: Timestamp, in db: Database) throws -> Event? {
        let count = try db.first("SELECT left_out FROM audit_trail WHERE left_out > 0") { $0.integer(0) }
        guard let count else { return nil }
        try db.run("UPDATE OR FAIL audit_trail SET left_out = 0")
        return Event(.credentialKeyRefused, at: now, detail: "\(count) more were not recorded")
    }
}
