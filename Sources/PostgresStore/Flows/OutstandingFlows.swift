import Broker
import Formats

/// Tells whether there is room for one more flow.
///
/// A tenant's are counted with each commit that begins some, in the tenant's turn: no other broker comes between. All of
/// them would cost more the more there are, so they are counted once a second, and in between by what this store starts:
/// an end makes room within a second, and brokers on one database may each fill the room that they saw.
///
/// Not `Sendable`: it goes with the writer's thread.
final class OutstandingFlows {
    let bounds: FlowBounds
    private var total = 0
    private var countedAt: Timestamp?
    private var rooms: [String: Int64] = [:]

    init(_ bounds: FlowBounds) {
        self.bounds = bounds
    }

    /// Looks at what is there, before any of `flows` begins.
    func look(at flows: [Flow], in transaction: Transaction) throws {
        guard bounds.isOn, let first = flows.first else { return }
        if bounds.perTenant > 0 {
            var moments: [String: Int64] = [:]
            for flow in flows where moments[flow.tenant.description] == nil {
                moments[flow.tenant.description] = flow.startedAt.milliseconds
            }
            let tenants = moments.keys.sorted()
            try transaction.query(.tenantTurns, [.texts(tenants)])
            let found = try transaction.query(
                .room, [.texts(tenants), .ints(tenants.map { moments[$0] }), .int(Int64(bounds.perTenant))])
            rooms = [:]
            for row in found.rows {
                rooms[row.text(Statement.Room.tenant)] = Int64(bounds.perTenant) - row.int(Statement.Room.count)
            }
        }
        // A clock that is set back counts anew as well.
        let now = flows.last?.startedAt ?? first.startedAt
        if bounds.inAll > 0, countedAt.map({ abs(now.milliseconds - $0.milliseconds) >= 1000 }) ?? true {
            total = Int(try transaction.query(.outstanding, [.int(now.milliseconds)]).first?.int(0) ?? 0)
            countedAt = now
        }
    }

    /// Counts `flow` in, if there is room.
    func admit(_ flow: Flow) -> FlowAdmission {
        if bounds.inAll > 0, total >= bounds.inAll { return .tooMany }
        if bounds.perTenant > 0 {
            let room = rooms[flow.tenant.description] ?? 0
            guard room > 0 else { return .tenantHasTooMany }
            rooms[flow.tenant.description] = room - 1
        }
        // Should the transaction be taken back, it is one too many until the next count.
        total += 1
        return .admitted
    }
}
