public import Broker
import Foundation
import GRDB
import Secrets

/// Flows and tickets in one SQLite file, which several brokers on one machine may share.
public struct SQLiteStore: FlowStore {
    private let writer: Writer

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

    public func start(_ flow: Flow) async throws(StoreError) {
        try await writer.write { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO flows (id, tenant, source_type, parameters, scopes, frontend_origin, return_url,
                        exchange_challenge, master_key, status, expires_at, sweep_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
                    """)
            try statement.execute(arguments: [
                Data(flow.id.bytes), flow.tenant.description, flow.sourceType.description,
                FlowRow.encode(flow.parameters), flow.scopes.joined(separator: " "), flow.frontendOrigin.description,
                flow.returnURL?.text, flow.exchangeChallenge?.text, flow.key.description,
                flow.expiresAt.milliseconds, flow.expiresAt.milliseconds + Self.patience,
            ])
        }
    }

    public func claim(_ id: FlowID, isBound: Bool, at now: Timestamp) async throws(StoreError) -> Flow? {
        try await writer.write { db in
            let statement = try db.cachedStatement(
                sql: """
                    UPDATE flows SET status = 1, is_bound = ? WHERE id = ? AND status = 0 AND expires_at > ?
                    RETURNING \(FlowRow.columns)
                    """)
            return try Row.fetchOne(
                statement, arguments: [isBound, Data(id.bytes), now.milliseconds]
            ).flatMap(FlowRow.flow)
        }
    }

    public func succeed(_ id: FlowID, with ticket: Ticket) async throws(StoreError) -> Bool {
        try await writer.write { db in
            let update = try db.cachedStatement(
                sql: """
                    UPDATE flows SET status = 2, key_digest = ?, sealed_key = CASE WHEN is_bound THEN ? END,
                        key_expires_at = ?
                    WHERE id = ? AND status = 1 RETURNING tenant, source_type, exchange_challenge
                    """)
            let expiry = ticket.expiresAt.milliseconds
            guard
                let row = try Row.fetchOne(
                    update,
                    arguments: [
                        Data(ticket.keyDigest.bytes), ticket.key.map { Data($0.bytes) }, expiry, Data(id.bytes),
                    ])
            else { return false }
            let insert = try db.cachedStatement(
                sql: """
                    INSERT INTO credential_keys (digest, flow, tenant, source_type, exchange_challenge, sealed, expires_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """)
            try insert.execute(arguments: [
                Data(ticket.keyDigest.bytes), Data(id.bytes), row[0] as String, row[1] as String, row[2] as String?,
                Data(ticket.credentials.bytes), expiry,
            ])
            return true
        }
    }

    public func fail(_ id: FlowID, error: String, description: String?) async throws(StoreError) {
        try await writer.write { db in
            let statement = try db.cachedStatement(
                sql: "UPDATE flows SET status = 3, error = ?, error_description = ? WHERE id = ? AND status = 1")
            try statement.execute(arguments: [error, description, Data(id.bytes)])
        }
    }

    public func redeem(_ redemption: Redemption) async throws(StoreError) -> Redemption.Outcome {
        try await writer.write { db in
            let digest = Data(redemption.keyDigest.bytes)
            let delete = try db.cachedStatement(
                sql: """
                    DELETE FROM credential_keys
                    WHERE digest = ? AND tenant = ? AND expires_at > ?
                        AND (exchange_challenge IS NULL OR exchange_challenge = ?)
                    RETURNING sealed, flow, source_type
                    """)
            if let row = try Row.fetchOne(
                delete,
                arguments: [
                    digest, redemption.tenant.description, redemption.now.milliseconds, redemption.challenge?.text,
                ])
            {
                let sealed: Data = row[0]
                let flow: Data = row[1]
                let sourceType: String = row[2]
                let update = try db.cachedStatement(
                    sql: "UPDATE flows SET status = 4, sealed_key = NULL WHERE id = ?")
                try update.execute(arguments: [flow])
                guard let id = FlowID(bytes: [UInt8](flow)), let type = SourceType.ID(sourceType) else {
                    return .refused
                }
                let placement = Placement(tenant: redemption.tenant, sourceType: type, flow: id)
                return .redeemed(Sealed(stored: [UInt8](sealed)), placement)
            }
            let spent = try db.cachedStatement(
                sql: "SELECT tenant, source_type, id FROM flows WHERE key_digest = ? AND status = 4")
            guard let row = try Row.fetchOne(spent, arguments: [digest]), let tenant = TenantID(row[0] as String),
                let type = SourceType.ID(row[1] as String), let id = FlowID(bytes: [UInt8](row[2] as Data))
            else { return .refused }
            return .reused(Placement(tenant: tenant, sourceType: type, flow: id))
        }
    }

    public func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome? {
        try await writer.write { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(FlowRow.columns), status, is_bound, sealed_key, key_expires_at, error, error_description
                    FROM flows WHERE id = ?
                    """)
            return try Row.fetchOne(statement, arguments: [Data(id.bytes)]).flatMap(FlowRow.outcome)
        }
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
