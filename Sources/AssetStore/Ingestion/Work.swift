public import Assets
public import Formats
import GRDB

/// Items in work.
extension SQLiteAssetStore {
    public func begin(
        _ items: [ItemID], of operation: OperationID, at now: Timestamp
    ) async throws(AssetStoreError) -> ItemBeginning {
        try await writer.write(isEnding: true) { db in
            guard let run = try Run.find(operation, in: db), run.goesOn else { return .ended }
            var versions: [ItemID: ItemVersion] = [:]
            for id in items {
                guard let document = try ItemRow.begin(id, of: run, in: db) else { continue }
                if try KeptDocument.begin(document, at: now, in: db) { continue }
                versions[id] = try KeptDocument.find(line: document, in: db)?.version
            }
            return .begun(versions)
        }
    }

    /// Without effect for an item that is not in work.
    public func stage(
        _ chunks: [StagedChunk], of item: ItemID, of operation: OperationID
    ) async throws(AssetStoreError) -> IngestionProgress {
        try await writer.write(isEnding: true) { db in
            guard let run = try Run.find(operation, in: db), run.goesOn else { return .ended }
            guard let row = try ItemRow.find(item, of: run, in: db), row.isOpen else { return .goesOn }
            try row.text.insert(chunks, into: db)
            try db.run(
                "UPDATE items SET staged_chunks = staged_chunks + ?, staged_tokens = staged_tokens + ? WHERE line = ?",
                .integer(chunks.count), .integer(chunks.tokenCount), .integer(row.line))
            return .goesOn
        }
    }
}

extension [StagedChunk] {
    var tokenCount: Int { reduce(0) { $0 + $1.chunk.tokenCount } }
}
