public import Broker
import Catalog
public import Formats
import Foundation
import GRDB
public import Secrets

/// Moves what lasts from one master key to the next.
extension SQLiteStore {
    /// Does nothing where the ring's first key sealed it. Throws where no key of the ring opens it.
    public func resealAuditKey(_ ring: KeyRing) async throws(StoreError) {
        try await writer.write { try AuditKey.reseal($0.db, ring) }
    }

    private enum SealedClient: Int32, Columns {
        case tenant, sourceType, sealedSecret
    }

    /// Looks at clients in the order of tenant and source type, each call in one transaction: flows go on in between.
    public func resealClients(
        after position: ClientPosition?, limit: Int,
        sealing again: @escaping @Sendable (ClientPosition, Sealed<ClientSecret>) -> Sealed<ClientSecret>?
    ) async throws(StoreError) -> (moved: Int, position: ClientPosition?) {
        try await writer.write { transaction in
            let db = transaction.db
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(SealedClient.list) FROM clients WHERE (tenant, source_type) > (?, ?)
                    ORDER BY tenant, source_type LIMIT ?
                    """,
                arguments: [position?.tenant.description ?? "", position?.sourceType.description ?? "", limit])
            var moved = 0
            var last: ClientPosition?
            for row in rows {
                guard let tenant = (row[SealedClient.tenant] as String?).flatMap({ TenantID($0) }),
                    let sourceType = (row[SealedClient.sourceType] as String?).flatMap({ SourceType.ID($0) })
                else { continue }
                let place = ClientPosition(tenant: tenant, sourceType: sourceType)
                last = place
                guard let secret: Sealed<ClientSecret> = row.sealed(SealedClient.sealedSecret),
                    let new = again(place, secret)
                else { continue }
                try db.run(
                    "UPDATE OR FAIL clients SET sealed_secret = ? WHERE tenant = ? AND source_type = ?",
                    .blob(new.bytes), .text(tenant.description), .text(sourceType.description))
                moved += 1
            }
            return (moved, rows.count == limit ? last : nil)
        }
    }

    /// Reads every sealed value's key id, on the connection for long reads.
    public func masterKeyUses(at now: Timestamp) async throws(StoreError) -> [String: MasterKeyUses] {
        try await lists.read { try Self.masterKeyUses(in: $0, at: now) }
    }

    /// The uses of each master key in the database at `path`, by the key's name. Changes nothing.
    public static func masterKeyUses(path: String, at now: Timestamp) throws(OpeningError) -> [String: MasterKeyUses] {
        do {
            return try StoreFile.openForReading(path).read { try masterKeyUses(in: $0, at: now) }
        } catch {
            throw StoreFile.opening(error, path)
        }
    }

    private enum KeyUse: Int32, Columns {
        case masterKey, count

        var sql: String { self == .count ? "count(*)" : name }
    }

    private static func masterKeyUses(in db: Database, at now: Timestamp) throws -> [String: MasterKeyUses] {
        var uses: [String: MasterKeyUses] = [:]
        let flows = try Row.fetchCursor(
            // Also one whose copied key waits to be asked for: what that is sealed under comes from this key too.
            db,
            sql: """
                SELECT \(KeyUse.list) FROM flows
                WHERE (\(FlowRow.Status.isOpen) AND expires_at > ?)
                    OR (status = \(FlowRow.Status.succeeded) AND sealed_key IS NOT NULL AND key_expires_at > ?)
                GROUP BY 1
                """, arguments: [now.milliseconds, now.milliseconds])
        while let row = try flows.next() {
            // A name that is no text is no key's.
            guard let name: String = row[KeyUse.masterKey] else { continue }
            uses[name, default: .init()].flows = row[KeyUse.count] ?? 0
        }
        try count("SELECT sealed FROM credential_keys WHERE expires_at > \(now.milliseconds)", in: db) {
            uses[$0, default: .init()].credentialKeys += 1
        }
        try count("SELECT sealed_secret FROM clients WHERE sealed_secret IS NOT NULL", in: db) {
            uses[$0, default: .init()].clients += 1
        }
        // A database of before has none, and is looked at as it is.
        if try db.tableExists("client_registrations") {
            try count("SELECT sealed FROM client_registrations", in: db) { uses[$0, default: .init()].clients += 1 }
        }
        try count("SELECT sealed_key FROM audit_trail", in: db) { uses[$0, default: .init()].auditTrail = true }
        return uses
    }

    /// Tells `use` the key of each sealed value that the statement finds.
    private static func count(_ sql: String, in db: Database, use: (String) -> Void) throws {
        let values = try DatabaseValue.fetchCursor(db, sql: sql)
        while let value = try values.next() {
            // What is no sealed value needs no key.
            guard let bytes = Data.fromDatabaseValue(value) else { continue }
            let sealed = Sealed<Never>(stored: Array(bytes))
            if let id = sealed.keyID { use(id.description) }
        }
    }
}
