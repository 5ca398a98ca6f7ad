public import Broker
import Foundation
import GRDB
import Secrets

/// Flows and tickets in one SQLite file, which several brokers on one machine may share.
public struct SQLiteStore: FlowStore {
    let writer: Writer

    /// Opens or makes the database at `path` and brings its tables up to date.
    public init(path: String) throws(OpeningError) {
        try StoreFile.inspect(path)
        try StoreFile.prepare(path)
        writer = Writer(try StoreFile.open(path))
    }

    /// Throws where the file at `path` is none that `init` would open. Changes nothing.
    public static func inspect(path: String) throws(OpeningError) {
        try StoreFile.inspect(path)
    }

    /// Finishes what was handed over; later calls throw `StoreError.closed`.
    public func close() async {
        await writer.close()
    }

    /// How long after its end the sweep leaves a flow, so that a spent key is recognised.
    private static let memory: Int64 = 86_400_000
    /// How long after its state's end the sweep leaves a flow alone: an exchange may still run.
    private static let patience: Int64 = 300_000

    // `OR FAIL` below: a failure takes the whole transaction back (see `Writer`), so SQLite need not keep a journal of
    // each statement beside it. That journal is 64 KiB, allocated and given back to the system every time.

    public func start(_ flow: Flow) async throws(StoreError) {
        try await writer.write { db in
            try db.run(
                """
                INSERT OR FAIL INTO flows (id, tenant, source_type, parameters, scopes, frontend_origin, return_url,
                    exchange_challenge, master_key, status, expires_at, sweep_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
                """,
                .blob(flow.id.bytes), .text(flow.tenant.description), .text(flow.sourceType.description),
                .text(FlowRow.encode(flow.parameters)), .text(flow.scopes.joined(separator: " ")),
                .text(flow.frontendOrigin.description), .text(flow.returnURL?.text),
                .text(flow.exchangeChallenge?.text), .text(flow.key.description),
                .integer(flow.expiresAt.milliseconds), .integer(flow.expiresAt.milliseconds + Self.patience))
        }
    }

    private static let claim = """
        UPDATE OR FAIL flows SET status = 1, is_bound = ? WHERE id = ? AND status = 0 AND expires_at > ?
        RETURNING \(FlowRow.columns)
        """

    public func claim(_ id: FlowID, isBound: Bool, at now: Timestamp) async throws(StoreError) -> Flow? {
        try await writer.write { db in
            try db.first(
                Self.claim, .integer(isBound ? 1 : 0), .blob(id.bytes), .integer(now.milliseconds), read: FlowRow.flow
            ) ?? nil
        }
    }

    public func succeed(_ id: FlowID, with ticket: Ticket) async throws(StoreError) -> Bool {
        try await writer.write(isEnding: true) { db in
            let expiry = ticket.expiresAt.milliseconds
            let flow = try db.first(
                """
                UPDATE OR FAIL flows SET status = 2, key_digest = ?, sealed_key = CASE WHEN is_bound THEN ? END,
                    key_expires_at = ?
                WHERE id = ? AND status = 1 RETURNING tenant, source_type, exchange_challenge
                """,
                .blob(ticket.keyDigest.bytes), .blob(ticket.key?.bytes), .integer(expiry), .blob(id.bytes)
            ) { row in (tenant: row.text(0), sourceType: row.text(1), challenge: row.textIfAny(2)) }
            guard let flow else { return false }
            try db.run(
                """
                INSERT OR FAIL INTO credential_keys (digest, flow, tenant, source_type, exchange_challenge, sealed, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                .blob(ticket.keyDigest.bytes), .blob(id.bytes), .text(flow.tenant), .text(flow.sourceType),
                .text(flow.challenge), .blob(ticket.credentials.bytes), .integer(expiry))
            return true
        }
    }

    public func fail(_ id: FlowID, error: String, description: String?) async throws(StoreError) {
        try await writer.write(isEnding: true) { db in
            try db.run(
                "UPDATE OR FAIL flows SET status = 3, error = ?, error_description = ? WHERE id = ? AND status = 1",
                .text(error), .text(description), .blob(id.bytes))
        }
    }

    public func redeem(_ redemption: Redemption) async throws(StoreError) -> Redemption.Outcome {
        try await writer.write { db in
            let taken = try db.first(
                """
                DELETE FROM credential_keys
                WHERE digest = ? AND tenant = ? AND expires_at > ?
                    AND (exchange_challenge IS NULL OR exchange_challenge = ?)
                RETURNING sealed, flow, source_type
                """,
                .blob(redemption.keyDigest.bytes), .text(redemption.tenant.description),
                .integer(redemption.now.milliseconds), .text(redemption.challenge?.text)
            ) { row in (sealed: row.blob(0), flow: row.blob(1), sourceType: row.text(2)) }
            if let taken {
                try db.run("UPDATE OR FAIL flows SET status = 4, sealed_key = NULL WHERE id = ?", .blob(taken.flow))
                guard let id = FlowID(bytes: taken.flow), let type = SourceType.ID(taken.sourceType) else {
                    return .refused
                }
                let placement = Placement(tenant: redemption.tenant, sourceType: type, flow: id)
                return .redeemed(Sealed(stored: taken.sealed), placement)
            }
            let spent = try db.first(
                "SELECT tenant, source_type, id FROM flows WHERE key_digest = ? AND status = 4",
                .blob(redemption.keyDigest.bytes)
            ) { row -> Placement? in
                guard let tenant = TenantID(row.text(0)), let type = SourceType.ID(row.text(1)),
                    let id = FlowID(bytes: row.blob(2))
                else { return nil }
                return Placement(tenant: tenant, sourceType: type, flow: id)
            }
            guard case let placement?? = spent else { return .refused }
            return .reused(placement)
        }
    }

    private static let outcome = """
        SELECT \(FlowRow.columns), status, is_bound, sealed_key, key_expires_at, error, error_description
        FROM flows WHERE id = ?
        """

    public func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome? {
        try await writer.write { db in try db.first(Self.outcome, .blob(id.bytes), read: FlowRow.outcome) ?? nil }
    }

    public func sweep(at now: Timestamp, limit: Int) async throws(StoreError) -> Bool {
        try await writer.write { db in
            let expired = try Data.fetchAll(
                db.cachedStatement(
                    sql: """
                        DELETE FROM credential_keys WHERE digest IN
                            (SELECT digest FROM credential_keys WHERE expires_at <= ? LIMIT ?)
                        RETURNING flow
                        """), arguments: [now.milliseconds, limit])
            let forget = try db.cachedStatement(sql: "UPDATE flows SET sealed_key = NULL WHERE id = ?")
            for flow in expired { try forget.execute(arguments: [flow]) }

            // Each flow is met twice: at the end of its state, and a day later.
            let due = try Row.fetchAll(
                db.cachedStatement(sql: "SELECT id, is_swept FROM flows WHERE sweep_at <= ? LIMIT ?"),
                arguments: [now.milliseconds, limit])
            let settle = try db.cachedStatement(
                sql: """
                    UPDATE flows SET is_swept = 1, sweep_at = ?, error = CASE WHEN status < 2 THEN 'expired' ELSE error END,
                        status = CASE WHEN status < 2 THEN 3 ELSE status END
                    WHERE id = ?
                    """)
            let delete = try db.cachedStatement(sql: "DELETE FROM flows WHERE id = ?")
            for row in due {
                let id: Data = row[0]
                if row[1] as Bool {
                    try delete.execute(arguments: [id])
                } else {
                    try settle.execute(arguments: [now.milliseconds + Self.memory, id])
                }
            }
            return expired.count == limit || due.count == limit
        }
    }

    public func check() async throws(StoreError) {
        // A write that changes nothing still needs the write lock, and so a file that can be written.
        try await writer.write { db in
            try db.cachedStatement(sql: "UPDATE flows SET status = status WHERE id = x''").execute()
        }
    }
}
