public import Broker
import Catalog
public import Formats
import Foundation
import GRDB
public import Secrets

/// Moving what lasts from one master key to the next.
extension SQLiteStore {
    public func resealAuditKey(_ ring: KeyRing) async throws(StoreError) {
        try await writer.write { try AuditKey.reseal($0, ring) }
    }

    public func resealClients(
        after position: ClientPosition?, limit: Int,
        _ again: @escaping @Sendable (ClientPosition, Sealed<ClientSecret>) -> Sealed<ClientSecret>?
    ) async throws(StoreError) -> (moved: Int, position: ClientPosition?) {
        try await writer.write { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT tenant, source_type, sealed_secret FROM clients WHERE (tenant, source_type) > (?, ?)
                    ORDER BY tenant, source_type LIMIT ?
                    """,
                arguments: [position?.tenant.description ?? "", position?.sourceType.description ?? "", limit])
            var moved = 0
            var last: ClientPosition?
            for row in rows {
                guard let tenant = TenantID(row[0] as String), let sourceType = SourceType.ID(row[1] as String) else {
                    continue
                }
                let place = ClientPosition(tenant: tenant, sourceType: sourceType)
                last = place
                guard let bytes: Data = row[2], let new = again(place, Sealed(stored: Array(bytes))) else { continue }
                try db.run(
                    "UPDATE OR FAIL clients SET sealed_secret = ? WHERE tenant = ? AND source_type = ?",
                    .blob(new.bytes), .text(tenant.description), .text(sourceType.description))
                moved += 1
            }
            return (moved, rows.count == limit ? last : nil)
        }
    }

    public func masterKeyUses(at now: Timestamp) async throws(StoreError) -> [String: MasterKeyUses] {
        try await lists.read { try Self.masterKeyUses($0, at: now) }
    }

    /// What in the database at `path` still needs each master key. Changes nothing.
    public static func masterKeyUses(path: String, at now: Timestamp) throws(OpeningError) -> [String: MasterKeyUses] {
        do {
            return try StoreFile.openForReading(path).read { try masterKeyUses($0, at: now) }
        } catch {
            throw StoreFile.opening(error, path)
        }
    }

    private static func masterKeyUses(_ db: Database, at now: Timestamp) throws -> [String: MasterKeyUses] {
        var uses: [String: MasterKeyUses] = [:]
        let flows = try Row.fetchCursor(
            // Also one whose copied key waits to be asked for: what that is sealed under comes from this key too.
            db,
            sql: """
                SELECT master_key, count(*) FROM flows
                WHERE (status < 2 AND expires_at > ?)
                    OR (status = 2 AND sealed_key IS NOT NULL AND key_expires_at > ?)
                GROUP BY 1
                """, arguments: [now.milliseconds, now.milliseconds])
        while let row = try flows.next() { uses[row[0] as String, default: .init()].flows = row[1] }
        try count(db, "SELECT sealed FROM credential_keys WHERE expires_at > \(now.milliseconds)") {
            uses[$0, default: .init()].tickets += 1
        }
        try count(db, "SELECT sealed_secret FROM clients WHERE sealed_secret IS NOT NULL") {
            uses[$0, default: .init()].clients += 1
        }
        try count(db, "SELECT sealed_key FROM audit_trail") { uses[$0, default: .init()].auditTrail = true }
        return uses
    }

    private static func count(_ db: Database, _ sql: String, _ use: (String) -> Void) throws {
        let rows = try Row.fetchCursor(db, sql: sql)
        while let row = try rows.next() {
            let sealed = Sealed<Never>(stored: Array(row[0] as Data))
            if let id = sealed.keyID { use(id.description) }
        }
    }
}
