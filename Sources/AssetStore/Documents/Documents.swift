public import Assets
public import Formats
import GRDB

/// Documents and their chunks, as callers ask for them.
extension SQLiteAssetStore {
    public func documents(
        of asset: AssetID, _ tenant: TenantID, matching search: String?, _ page: PageRequest
    ) async throws(AssetStoreError) -> Page<Document>? {
        let search = FoldedText.search(search)
        return try await lists.read { db in
            guard let asset = try AssetRow.find(asset, of: tenant, in: db) else { return nil }
            let rows = try DocumentRow.list(of: asset, matching: search, page, in: db)
            let total = try Self.count(of: asset, matching: search, in: db)
            return Page(rows, of: page, totalCount: total)
        }
    }

    private static func count(of asset: AssetRow, matching search: SQLValue, in db: Database) throws -> Int {
        guard case .text = search else { return asset.asset.documentCount }
        let count = try db.first(
            "SELECT count(*) FROM documents WHERE asset = ? AND instr(folded_name, ?) > 0", .integer(asset.line), search
        ) { $0.integer(0) }
        return Int(count ?? 0)
    }

    public func document(
        _ id: DocumentID, of asset: AssetID, _ tenant: TenantID
    ) async throws(AssetStoreError) -> Document? {
        try await points.first { try DocumentRow.find(id, of: asset, tenant, in: $0)?.document }
    }

    /// What works on it meanwhile finds it gone, and is counted without it.
    public func deleteDocument(
        _ id: DocumentID, of asset: AssetID, _ tenant: TenantID
    ) async throws(AssetStoreError) -> Bool {
        let (wasThere, leavesText) = try await writer.write { db in
            guard let row = try DocumentRow.find(id, of: asset, tenant, in: db) else { return (false, false) }
            let chunks = row.document.chunkCount
            let leavesText = try row.text?.discard(chunks, from: db) ?? false
            try db.run("DELETE FROM documents WHERE line = ?", .integer(row.line))
            try db.run(
                "UPDATE assets SET document_count = document_count - 1, chunk_count = chunk_count - ? WHERE id = ?",
                .integer(chunks), .blob(asset.bytes))
            return (true, leavesText)
        }
        if leavesText { await purge() }
        return wasThere
    }

    public func chunks(
        of document: DocumentID, _ asset: AssetID, _ tenant: TenantID, _ page: PageRequest
    ) async throws(AssetStoreError) -> Page<Chunk>? {
        try await lists.read { db in
            guard let row = try DocumentRow.find(document, of: asset, tenant, in: db) else { return nil }
            var page = page
            let chunks = try row.text?.chunks(&page, in: db) ?? []
            return Page(chunks, of: page, totalCount: row.document.chunkCount)
        }
    }
}
