import Broker
import Dispatch
import Foundation
import GRDB

/// Writes down what failed redemptions there were, a moment after they were answered and several at a time: no answer
/// waits for it, and nobody can tell from the time of his own or of the next one whether there was anything to write.
///
/// `@unchecked Sendable`: `lock` guards the variables; the rest never changes.
final class FailedRedemptions: @unchecked Sendable {
    /// Milliseconds until what was noted is written.
    private static let delay = 250
    /// So many are written at once, without waiting for more.
    private static let most = 1024
    /// So many presentations of one spent key have an event each (Docs/Contract.md#redeeming); the metric counts them all.
    static let mostPerKey: Int64 = 10

    private struct Failure: Sendable {
        let redemption: Redemption
        let outcome: Redemption.Outcome
    }

    private let writer: Writer
    private let trail: AuditTrail
    private let budget: RefusalBudget
    private let lock = NSLock()
    private var noted: [Failure] = []
    /// The last one that began; each waits for the one before.
    private var flushing: Task<Void, Never>?
    /// Of refusals that were left out while the store could not write.
    private var uncounted: Int64 = 0
    /// The times that each spent key came while the store could not write.
    private var reuses: [FlowID: Int64] = [:]

    init(_ writer: Writer, _ trail: AuditTrail, budget: RefusalBudget) {
        self.writer = writer
        self.trail = trail
        self.budget = budget
    }

    func note(_ redemption: Redemption, _ outcome: Redemption.Outcome) {
        let count = lock.withLock {
            noted.append(Failure(redemption: redemption, outcome: outcome))
            return noted.count
        }
        if count == 1 {
            // By the time since the machine's start, which nobody sets.
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Self.delay)) { [self] in _ = begin() }
        } else if count == Self.most {
            _ = begin()
        }
    }

    /// Returns when all that was noted before is on the disk, or could not be kept.
    func flush() async { await begin().value }

    private func begin() -> Task<Void, Never> {
        lock.withLock {
            let batch = noted
            noted = []
            let previous = flushing
            let task = Task {
                await previous?.value
                if !batch.isEmpty || hasUncounted { await write(batch) }
            }
            flushing = task
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
        let (chosen, count) = (kept, leftOut + takeUncounted())
        let isDue = count > 0 && budget.takeSummary()
        let recorded = try? await writer.write(isEnding: true) { [trail] db in
            // Also where there is nothing to count: each batch is a commit. SQLite would skip a write that changes nothing.
            try db.run(
                "UPDATE OR FAIL audit_trail SET left_out = left_out + ?, writes = writes + 1",
                .integer(count))
            var events: [Event] = []
            for failure in chosen where try Self.isWanted(failure, db) {
                events.append(failure.redemption.event(failure.outcome))
            }
            for event in events { try trail.append(event, db) }
            if isDue, let last = batch.last, let event = try Self.summary(at: last.redemption.now, db) {
                try trail.append(event, db)
                events.append(event)
            }
            return events
        }
        for event in recorded ?? untaken(chosen, leftOut: count) { writer.tell(.recorded(event)) }
        if recorded != nil { forgetReuses() }
    }

    private var hasUncounted: Bool { lock.withLock { uncounted > 0 } }

    private func takeUncounted() -> Int64 {
        lock.withLock {
            defer { uncounted = 0 }
            return uncounted
        }
    }

    /// The events of what the store could not take, for the log: no more of one spent key than the trail would have.
    /// Counts with the next batch what was left out.
    private func untaken(_ chosen: [Failure], leftOut: Int64) -> [Event] {
        lock.withLock {
            uncounted += leftOut
            return chosen.compactMap { failure -> Event? in
                if case .reused(let placement) = failure.outcome {
                    let count = reuses[placement.flow, default: 0]
                    guard count < Self.mostPerKey else { return nil }
                    reuses[placement.flow] = count + 1
                }
                return failure.redemption.event(failure.outcome)
            }
        }
    }

    private func forgetReuses() { lock.withLock { reuses = [:] } }

    /// The count is with the flow, so that neither a restart nor another broker begins anew.
    private static func isWanted(_ failure: Failure, _ db: Database) throws -> Bool {
        guard case .reused(let placement) = failure.outcome else { return true }
        let count = try db.first(
            "UPDATE OR FAIL flows SET reuses = reuses + 1 WHERE id = ? AND reuses < ? RETURNING reuses",
            .blob(placement.flow.bytes), .integer(mostPerKey)
        ) { $0.integer(0) }
        return count != nil
    }

    /// One event for all refusals that the budget had no room for since the last such event.
    static func summary(at now: Timestamp, _ db: Database) throws -> Event? {
        let count = try db.first("SELECT left_out FROM audit_trail WHERE left_out > 0") { $0.integer(0) }
        guard let count else { return nil }
        try db.run("UPDATE OR FAIL audit_trail SET left_out = 0")
        return Event(.credentialKeyRefused, at: now, detail: "\(count) more were not recorded")
    }
}
