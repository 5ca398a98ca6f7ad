import Broker
import Formats
import GRDB
import StoreParts

/// The places of failed redemptions in the trail.
extension Writer: FailureLedger {
    func write(
        _ chosen: [FailedRedemptions.Failure], leftOut count: Int64, summaryAt: Timestamp?
    ) async throws(StoreError) -> [Event] {
        try await write(isEnding: true) { transaction in
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
            if let summaryAt, let event = try FailedRedemptions.summary(at: summaryAt, in: db) {
                try transaction.record(event)
                events.append(event)
            }
            return events
        }
    }

    /// The count is with the flow, so that neither a restart nor another broker begins anew.
    private static func isWanted(_ failure: FailedRedemptions.Failure, in db: Database) throws -> Bool {
        guard let placement = failure.placement else { return true }
        return try db.changesRow(
            "UPDATE OR FAIL flows SET reuses = reuses + 1 WHERE id = ? AND reuses < ?", .blob(placement.flow.bytes),
            .integer(FailedRedemptions.mostPerKey))
    }
}

extension FailedRedemptions {
    /// One event for all refusals that the budget had no room for since the last such event.
    static func summary(at now: Timestamp, in db: Database) throws -> Event? {
        let count = try db.first("SELECT left_out FROM audit_trail WHERE left_out > 0") { $0.integer(0) }
        guard let count else { return nil }
        try db.run("UPDATE OR FAIL audit_trail SET left_out = 0")
        return summary(of: count, at: now)
    }
}
