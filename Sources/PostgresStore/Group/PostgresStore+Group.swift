public import Broker
import Secrets

extension Statement {
    static let comeIn = Statement(
        "comeIn",
        """
        INSERT INTO brokers (id, public_key, proof, seen_at) VALUES ($1::text, $2::bytea, $3::bytea, \(RefreshColumn.now))
        ON CONFLICT (id) DO UPDATE SET public_key = excluded.public_key, proof = excluded.proof,
            seen_at = excluded.seen_at
        """)

    static let leaveBehind = Statement(
        "leaveBehind",
        """
        DELETE FROM brokers WHERE id IN (SELECT id FROM brokers WHERE seen_at < \(RefreshColumn.now) - 60000
            ORDER BY id FOR UPDATE SKIP LOCKED)
        """)

    static let handOver = Statement(
        "handOver",
        """
        INSERT INTO handovers (sender, recipient, sealed)
        SELECT $1::text, u.m, u.s FROM unnest($2::text[], $3::bytea[]) u(m, s) JOIN brokers b ON b.id = u.m
        ON CONFLICT (sender, recipient) DO UPDATE SET sealed = excluded.sealed
        """)

    /// Each meets the others every second.
    static let members = Statement(
        "members",
        """
        SELECT id, public_key, proof, CASE WHEN seen_at > \(RefreshColumn.now) - 5000 THEN 1 ELSE 0 END::bigint
        FROM brokers WHERE id <> $1::text
        """)

    static let handovers = Statement("handovers", "SELECT sender, sealed FROM handovers WHERE recipient = $1::text")
}

/// The brokers of one database find each other in it.
extension PostgresStore: BrokerGroupStore {
    /// In one transaction. What was handed over stays until its sender or recipient is forgotten.
    public func meet(
        _ member: GroupMember, handing handovers: [Handover]
    ) async throws(StoreError) -> GroupMeeting {
        try await writer.write { transaction in
            let id = Parameter.text(member.id)
            try transaction.query(.comeIn, [id, .bytes(member.publicKey), .bytes(member.proof)])
            try transaction.query(.leaveBehind)
            if !handovers.isEmpty {
                try transaction.query(
                    .handOver, [id, .texts(handovers.map(\.member)), .byteses(handovers.map(\.sealed.bytes))])
            }
            let members = try transaction.query(.members, [id]).rows.map {
                GroupMember(id: $0.text(0), publicKey: $0.bytes(1), proof: $0.bytes(2), isHere: $0.int(3) == 1)
            }
            let received = try transaction.query(.handovers, [id]).rows.map {
                Handover(member: $0.text(0), sealed: Sealed(stored: $0.bytes(1)))
            }
            return GroupMeeting(members: members, handovers: received)
        }
    }
}
