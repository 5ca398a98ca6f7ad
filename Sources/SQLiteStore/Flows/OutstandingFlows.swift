import Broker
import Formats
import GRDB

/// Tells whether there is room for one more flow.
///
/// A tenant's are looked at with each start, in its transaction: no other broker comes between. All of them would cost
/// more the more there are, so they are counted once a second, and in between by what this store starts: an end makes
/// room within a second, and brokers on one file may each fill the room that they saw.
///
/// Not `Sendable`: it goes with the writing connection.
final class OutstandingFlows {
    private let bounds: FlowBounds
    private var total = 0
    private var countedAt: Timestamp?

    init(_ bounds: FlowBounds) {
        self.bounds = bounds
    }

    /// Counts `flow` in, if there is room.
    func admit(_ flow: Flow, in db: Database) throws -> FlowAdmission {
        if bounds.inAll > 0 {
            // A clock that is set back counts anew as well.
            if countedAt.map({ abs(flow.startedAt.milliseconds - $0.milliseconds) >= 1000 }) ?? true {
                try count(in: db, at: flow.startedAt)
            }
            if total >= bounds.inAll { return .tooMany }
        }
        if bounds.perTenant > 0, try isFull(flow.tenant, in: db, at: flow.startedAt) { return .tenantHasTooMany }
        // Should the transaction be taken back, it is one too many until the next count.
        total += 1
        return .admitted
    }

    private static let countOfTenant = """
        SELECT 1 FROM flows INDEXED BY flows_outstanding
        WHERE tenant = ? AND \(FlowRow.Status.isOpen) AND expires_at > ? LIMIT 1 OFFSET ?
        """

    private func isFull(_ tenant: TenantID, in db: Database, at now: Timestamp) throws -> Bool {
        try db.first(
            Self.countOfTenant, .text(tenant.description), .integer(now.milliseconds),
            .integer(Int64(bounds.perTenant - 1))
        ) { _ in } != nil
    }

    private func count(in db: Database, at now: Timestamp) throws {
        let count = try db.first(
            "SELECT count(*) FROM flows INDEXED BY flows_outstanding WHERE \(FlowRow.Status.isOpen) AND expires_at > ?",
            .integer(now.milliseconds)
        ) { $0.integer(0) }
        total = Int(count ?? 0)
        countedAt = now
    }

    /// The index behind both questions: an expense for every flow, so it is made where it is first used. Never dropped:
    /// another broker on the file may use it.
    ///
    /// `status` is in it so that no row need be looked up: that would take thirty times as long.
    static func makeIndex(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE INDEX IF NOT EXISTS flows_outstanding ON flows (tenant, expires_at, status)
                    WHERE \(FlowRow.Status.isOpen)
                """)
    }
}
