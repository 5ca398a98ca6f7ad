import Broker
import GRDB

/// How many flows are outstanding: counted once a second, and in between by what this store starts. So a flow's end
/// makes room within a second, and brokers on one file may together start a second's worth too many.
///
/// `@unchecked Sendable`: used by the writer's thread alone.
final class OutstandingFlows: @unchecked Sendable {
    private let bounds: FlowBounds
    private var counts: [String: Int] = [:]
    private var total = 0
    private var countedAt: Timestamp?

    init(_ bounds: FlowBounds) {
        self.bounds = bounds
    }

    /// Counts `flow` in, if there is room.
    func admit(_ flow: Flow, _ db: Database) throws -> FlowAdmission {
        guard bounds.isOn else { return .admitted }
        // A clock that is set back counts anew as well.
        if countedAt.map({ abs(flow.startedAt.milliseconds - $0.milliseconds) >= 1000 }) ?? true {
            try count(db, at: flow.startedAt)
        }
        if bounds.inAll > 0, total >= bounds.inAll { return .tooMany }
        let tenant = flow.tenant.description
        if bounds.perTenant > 0, counts[tenant, default: 0] >= bounds.perTenant { return .tenantHasTooMany }
        // Should the transaction be taken back, it is one too many until the next count.
        counts[tenant, default: 0] += 1
        total += 1
        return .admitted
    }

    private func count(_ db: Database, at now: Timestamp) throws {
        counts = [:]
        total = 0
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT tenant, count(*) FROM flows INDEXED BY flows_outstanding
                    WHERE status < 2 AND expires_at > ? GROUP BY tenant
                    """),
            arguments: [now.milliseconds])
        while let row = try rows.next() {
            counts[row[0]] = row[1]
            total += row[1]
        }
        countedAt = now
    }

    /// The index that the count reads: an expense for every flow, so it is there only where it is used.
    func prepare(_ db: Database) throws {
        try db.execute(
            sql: bounds.isOn
                ? "CREATE INDEX IF NOT EXISTS flows_outstanding ON flows (tenant, expires_at) WHERE status < 2"
                : "DROP INDEX IF EXISTS flows_outstanding")
    }
}
