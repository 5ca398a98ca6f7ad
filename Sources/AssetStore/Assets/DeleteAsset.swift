public import Assets
public import Formats
import GRDB

/// The end of an asset.
extension SQLiteAssetStore {
    /// Everything but the chunks goes in one commit, after which nothing leads to them; they follow before this returns.
    public func delete(_ id: AssetID, of tenant: TenantID) async throws(AssetStoreError) -> DeletedAsset? {
        let deleted = try await deleteRows(of: id, tenant)
        if deleted != nil { await purge() }
        return deleted
    }

    private func deleteRows(
        of id: AssetID, _ tenant: TenantID
    ) async throws(AssetStoreError) -> DeletedAsset? {
        defer { credentialsCache.forget(id) }
        return try await writer.write { db in
            guard let line = try AssetRow.line(of: id, tenant, in: db) else { return nil }
            let running = try db.first(
                "SELECT id FROM operations WHERE asset = ? AND completed_at IS NULL", .integer(line)
            ) { OperationID(bytes: $0.blob(0)) }
            let upload = try Upload.find(ofAsset: line, in: db)
            for statement in Self.deletions { try db.run(statement, .integer(line)) }
            return DeletedAsset(upload: upload, operation: running ?? nil)
        }
    }

    private static let deletions = [
        """
        INSERT OR IGNORE INTO discarded_texts
            SELECT text FROM documents WHERE asset = ? AND text IS NOT NULL AND chunk_count > 0
        """,
        """
        INSERT OR IGNORE INTO discarded_texts SELECT line FROM items
            WHERE staged_chunks > 0 AND operation IN (SELECT line FROM operations WHERE asset = ?)
        """,
        "DELETE FROM items WHERE operation IN (SELECT line FROM operations WHERE asset = ?)",
        "DELETE FROM chosen_documents WHERE operation IN (SELECT line FROM operations WHERE asset = ?)",
        "DELETE FROM operations WHERE asset = ?",
        "DELETE FROM documents WHERE asset = ?",
        "DELETE FROM assets WHERE line = ?",
    ]
}
