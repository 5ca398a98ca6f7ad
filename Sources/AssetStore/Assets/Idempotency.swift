public import Assets
public import Formats
import GRDB
public import Secrets

/// Requests that may be sent again.
extension SQLiteAssetStore {
    private static let lifetimeSeconds: Int64 = 86_400

    public func claim(
        _ key: IdempotencyKey, requestDigest: Digest, at now: Timestamp
    ) async throws(AssetStoreError) -> IdempotencyAdmission {
        let end = now.adding(seconds: -Self.lifetimeSeconds)
        return try await writer.write { db in
            // Some of the others that are old, so that the table does not grow and no claim takes long.
            try db.run(
                """
                DELETE FROM idempotency_keys WHERE line IN
                    (SELECT line FROM idempotency_keys WHERE claimed_at <= ? ORDER BY claimed_at LIMIT 100)
                """, .moment(end))
            try db.run(
                "DELETE FROM idempotency_keys WHERE tenant = ? AND key = ? AND claimed_at <= ?",
                .text(key.tenant.description), .text(key.text), .moment(end))
            if let standing = try key.standing(requestDigest, in: db) { return standing }
            try db.run(
                "INSERT INTO idempotency_keys (tenant, key, request_digest, claimed_at) VALUES (?, ?, ?, ?)",
                .text(key.tenant.description), .text(key.text), .blob(requestDigest.bytes), .moment(now))
            return .claimed
        }
    }

    public func abandon(_ key: IdempotencyKey) async throws(AssetStoreError) {
        try await writer.write(isEnding: true) { db in
            try db.run(
                "DELETE FROM idempotency_keys WHERE tenant = ? AND key = ? AND asset IS NULL",
                .text(key.tenant.description), .text(key.text))
        }
    }
}

extension IdempotencyKey {
    private enum Column: Int32, Columns {
        case requestDigest, asset, operation
    }

    private static let select = "SELECT \(Column.list) FROM idempotency_keys WHERE tenant = ? AND key = ?"

    /// `nil` where nobody claimed it.
    fileprivate func standing(_ digest: Digest, in db: Database) throws -> IdempotencyAdmission? {
        try db.first(Self.select, .text(tenant.description), .text(text)) { row in
            guard row.blob(Column.requestDigest) == digest.bytes else { return .reused }
            guard !row.isNull(Column.asset) else { return .underWay }
            guard let asset = AssetID(bytes: row.blob(Column.asset)),
                let operation = OperationID(bytes: row.blob(Column.operation))
            else { throw MalformedRow() }
            return .done(asset, operation)
        }
    }

    /// Notes what came of the request that claimed it.
    func end(_ asset: AssetID, _ operation: OperationID, in db: Database) throws {
        try db.run(
            "UPDATE idempotency_keys SET asset = ?, operation = ? WHERE tenant = ? AND key = ?", .blob(asset.bytes),
            .blob(operation.bytes), .text(tenant.description), .text(text))
    }

    /// Forgets those whose request the end of the process cut short.
    static func forgetUnended(in db: Database) throws {
        try db.run("DELETE FROM idempotency_keys WHERE asset IS NULL")
    }
}
