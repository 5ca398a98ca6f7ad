public import Assets
public import Formats
import GRDB
public import Secrets

/// Assets, as callers make, ask for and change them.
extension SQLiteAssetStore {
    public func create(_ asset: NewAsset, idempotency: IdempotencyKey?) async throws(AssetStoreError) {
        try await writer.write(isEnding: true) { db in
            try Self.insert(asset, into: db)
            let line = db.lastInsertedRowID
            try OperationRow.insert(asset.operation, of: line, isForced: false, choice: nil, into: db)
            try idempotency?.end(asset.asset.id, asset.operation.id, in: db)
        }
    }

    private static func insert(_ new: NewAsset, into db: Database) throws {
        let (asset, upload) = (new.asset, new.upload)
        try db.run(
            """
            INSERT INTO assets (id, tenant, display_name, folded_name, source_type, parameters, provider, model,
                chunk_size, chunk_overlap, llm_config, status, is_vectorized, document_count, chunk_count, token_count,
                created_at, modified_at, created_by, upload_name, upload_file_name, upload_type, upload_size,
                upload_digest, credentials)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, .blob(asset.id.bytes), .text(asset.tenant.description), .text(asset.displayName),
            .text(FoldedText(asset.displayName).text), .text(asset.source.type),
            .text(try AssetRow.encode(asset.source.parameters)), .text(asset.embedding.model?.provider),
            .text(asset.embedding.model?.model), .integer(asset.embedding.chunkSize),
            .integer(asset.embedding.chunkOverlap), .text(asset.embeddingLlmConfigID), .text(asset.status.rawValue),
            .moment(asset.createdAt), .moment(asset.modifiedAt), .text(asset.createdBy), .text(upload?.storedName),
            .text(upload?.fileName), .text(upload?.contentType), .integer(upload?.size), .text(upload?.digest),
            .blob(new.credentials?.bytes))
    }

    public func asset(_ id: AssetID, of tenant: TenantID) async throws(AssetStoreError) -> Asset? {
        try await points.first { try AssetRow.find(id, of: tenant, in: $0)?.asset }
    }

    private static let page = """
        SELECT \(AssetRow.Column.list) FROM assets
        WHERE tenant = ?1 AND line < ?2 AND (?3 IS NULL OR instr(folded_name, ?3) > 0)
        ORDER BY line DESC LIMIT ?4 OFFSET ?5
        """
    private static let count = """
        SELECT count(*) FROM assets WHERE tenant = ?1 AND (?2 IS NULL OR instr(folded_name, ?2) > 0)
        """
    private static let countOfAll = "SELECT count(*) FROM assets WHERE tenant = ?"

    public func assets(
        of tenant: TenantID, matching search: String?, _ page: PageRequest
    ) async throws(AssetStoreError) -> Page<Asset> {
        let (tenant, search) = (SQLValue.text(tenant.description), FoldedText.search(search))
        return try await lists.read { db in
            let rows = try db.all(
                Self.page, tenant, .integer(page.after?.number ?? .max), search, .integer(page.limit),
                .integer(page.offset)
            ) { row in
                let row = try AssetRow(row)
                return (row.line, row.asset)
            }
            let total =
                if case .null = search {
                    try db.first(Self.countOfAll, tenant) { $0.integer(0) }
                } else {
                    try db.first(Self.count, tenant, search) { $0.integer(0) }
                }
            return Page(rows, of: page, totalCount: Int(total ?? 0))
        }
    }

    public func change(
        _ id: AssetID, of tenant: TenantID, displayName: String?, credentials: Sealed<AssetCredentials>?,
        at now: Timestamp
    ) async throws(AssetStoreError) -> Asset? {
        // Also where it throws: it may have been kept.
        defer { credentialsCache.forget(id) }
        return try await writer.write(isEnding: true) { db in
            try db.run(
                """
                UPDATE assets SET display_name = coalesce(?, display_name), folded_name = coalesce(?, folded_name),
                    credentials = coalesce(?, credentials), modified_at = max(modified_at, ?)
                WHERE id = ? AND tenant = ?
                """, .text(displayName), .text(displayName.map { FoldedText($0).text }), .blob(credentials?.bytes),
                .moment(now), .blob(id.bytes), .text(tenant.description))
            return try AssetRow.find(id, of: tenant, in: db)?.asset
        }
    }

    public func credentials(of asset: AssetID) async throws(AssetStoreError) -> Sealed<AssetCredentials>? {
        try await credentialsCache.credentials(of: asset) { () async throws(AssetStoreError) in
            try await points.first { db in
                try db.first(
                    "SELECT credentials FROM assets WHERE id = ? AND credentials IS NOT NULL", .blob(asset.bytes)
                ) { Sealed(stored: $0.blob(0)) }
            }
        }
    }

    public func replace(
        _ old: Sealed<AssetCredentials>, by new: Sealed<AssetCredentials>, of asset: AssetID
    ) async throws(AssetStoreError) -> Bool {
        defer { credentialsCache.forget(asset) }
        return try await writer.write(isEnding: true) { db in
            try db.run(
                "UPDATE assets SET credentials = ? WHERE id = ? AND credentials = ?", .blob(new.bytes),
                .blob(asset.bytes), .blob(old.bytes))
            return db.changesCount > 0
        }
    }
}
