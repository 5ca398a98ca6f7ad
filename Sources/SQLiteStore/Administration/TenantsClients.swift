public import Broker
public import Catalog
public import Formats
import Foundation
import GRDB
import Secrets
import StoreParts

/// Clients that tenants brought.
extension SQLiteStore {
    private enum ClientColumn: Int32, Columns {
        case sourceType, clientID, sealedSecret, scopes, parameters, changedAt
    }

    /// In no particular order, secrets still sealed. Throws where a row has something else in a column than this
    /// program writes: without the client in it, the tenant's flows would act as the installation's.
    public func clients(of tenant: TenantID) async throws(StoreError) -> [KeptClient] {
        try await reader.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(ClientColumn.list) FROM clients
                    WHERE tenant = ?
                    """, arguments: [tenant.description])
            return try rows.map(Self.client)
        }
    }

    private static func client(_ row: Row) throws(MalformedRow) -> KeptClient {
        let scopes: String? = row[ClientColumn.scopes]
        let storedScopes: DatabaseValue = row[ClientColumn.scopes]
        guard let sourceType = (row[ClientColumn.sourceType] as String?).flatMap({ SourceType.ID($0) }),
            let id: String = row[ClientColumn.clientID], let changedAt: Int64 = row[ClientColumn.changedAt],
            let parameters = (row[ClientColumn.parameters] as String?).flatMap(FlowParameters.decode),
            scopes != nil || storedScopes.isNull
        else { throw MalformedRow() }
        return KeptClient(
            sourceType: sourceType, id: id, secret: row.sealed(ClientColumn.sealedSecret),
            scopes: scopes.map { $0.split(separator: " ").map(String.init) }, parameters: parameters,
            changedAt: Timestamp(milliseconds: changedAt))
    }

    /// Deletes the one before and inserts anew, so that nothing of it is left in the row.
    public func setClient(
        _ client: KeptClient, of tenant: TenantID, recording event: Event
    ) async throws(StoreError) -> Bool {
        try await writer.write { transaction in
            let isNew = try !Self.deleteClient(client.sourceType, of: tenant, in: transaction.db)
            try transaction.db.run(
                """
                INSERT OR FAIL INTO clients (tenant, source_type, client_id, sealed_secret, scopes, parameters,
                    changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                """, .text(tenant.description), .text(client.sourceType.description), .text(client.id),
                .blob(client.secret?.bytes), .text(client.scopes?.joined(separator: " ")),
                .text(FlowParameters.encode(client.parameters)), .integer(client.changedAt.milliseconds))
            try transaction.record(event)
            return isNew
        }
    }

    /// Records the event only where there was a client.
    public func deleteClient(
        _ sourceType: SourceType.ID, of tenant: TenantID, recording event: Event
    ) async throws(StoreError) -> Bool {
        try await writer.write { transaction in
            guard try Self.deleteClient(sourceType, of: tenant, in: transaction.db) else { return false }
            try transaction.record(event)
            return true
        }
    }

    private static func deleteClient(
        _ sourceType: SourceType.ID, of tenant: TenantID, in db: Database
    ) throws -> Bool {
        try db.changesRow(
            "DELETE FROM clients WHERE tenant = ? AND source_type = ?", .text(tenant.description),
            .text(sourceType.description))
    }
}
