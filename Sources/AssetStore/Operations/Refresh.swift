public import Assets
import Formats
import GRDB

/// The beginning of another reading of a source.
extension SQLiteAssetStore {
    public func refresh(
        _ refresh: NewRefresh, idempotency: IdempotencyKey?
    ) async throws(AssetStoreError) -> RefreshAdmission {
        try await writer.write(isEnding: true) { db in
            guard let asset = try AssetRow.find(refresh.asset, of: refresh.tenant, in: db) else { return .noAsset }
            let latest = try Self.latest(of: asset.line, in: db)
            if let latest, !latest.isDone { return .inProgress(latest.id) }
            var choice: [Int64]?
            if let documents = refresh.documents {
                switch try Self.lines(of: documents, asset.line, in: db) {
                case .success(let lines): choice = lines
                case .failure(let unknown): return .unknownDocument(unknown.id)
                }
            }
            let operation = Self.operation(refresh, of: asset.asset, after: latest?.updatedAt)
            try OperationRow.insert(operation, of: asset.line, isForced: refresh.isForced, choice: choice, into: db)
            try db.run(
                "UPDATE assets SET status = ? WHERE line = ?", .text(Asset.EmbeddingStatus.pending.rawValue),
                .integer(asset.line))
            try idempotency?.end(refresh.asset, refresh.operation, in: db)
            var begun = asset.asset
            begun.status = .pending
            return .begun(begun, operation)
        }
    }

    private struct Latest {
        var id: OperationID
        var isDone: Bool
        var updatedAt: Timestamp
    }

    private static func latest(of asset: Int64, in db: Database) throws -> Latest? {
        try db.first(
            "SELECT id, completed_at IS NOT NULL, updated_at FROM operations WHERE asset = ? ORDER BY line DESC LIMIT 1",
            .integer(asset)
        ) { row in
            guard let id = OperationID(bytes: row.blob(0)) else { throw MalformedRow() }
            return Latest(id: id, isDone: row.integer(1) != 0, updatedAt: Timestamp(milliseconds: row.integer(2)))
        }
    }

    private struct UnknownDocument: Error {
        var id: DocumentID
    }

    private static func lines(
        of documents: [DocumentID], _ asset: Int64, in db: Database
    ) throws -> Result<[Int64], UnknownDocument> {
        var lines: [Int64] = []
        for id in documents {
            let line = try db.first(
                "SELECT line FROM documents WHERE id = ? AND asset = ?", .blob(id.bytes), .integer(asset)
            ) { $0.integer(0) }
            guard let line else { return .failure(UnknownDocument(id: id)) }
            lines.append(line)
        }
        return .success(lines)
    }

    /// - Parameter latest: the last moment of the operation before. Clients take the one with the greatest `updatedAt`
    ///   for the latest, so a clock that stands still or is set back must not make two of them equal.
    private static func operation(
        _ refresh: NewRefresh, of asset: Asset, after latest: Timestamp?
    ) -> AssetOperation {
        let moment = latest.map { max(refresh.now, Timestamp(milliseconds: $0.milliseconds + 1)) } ?? refresh.now
        return AssetOperation(
            id: refresh.operation, asset: asset.id, tenant: asset.tenant, kind: .refresh, createdAt: refresh.now,
            updatedAt: moment, model: asset.embedding.model, createdBy: refresh.createdBy)
    }
}
