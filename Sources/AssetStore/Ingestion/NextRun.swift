public import Assets
public import Formats
import GRDB

/// The beginning and the end of an operation's run.
extension SQLiteAssetStore {
    public func next(
        excluding excluded: Set<TenantID>, at now: Timestamp
    ) async throws(AssetStoreError) -> Ingestion? {
        try await writer.write(isEnding: true) { db in
            guard let line = try Self.oldestWaiting(excluding: excluded, in: db),
                let run = try Run.find(line: line, in: db)
            else { return nil }
            try db.run(
                """
                UPDATE operations SET status = 'RUNNING', is_waiting = 0, updated_at = max(updated_at, ?1),
                    started_at = coalesce(started_at, max(updated_at, ?1))
                WHERE line = ?2
                """, .moment(now), .integer(line))
            try db.run(
                "UPDATE assets SET status = ? WHERE line = ?", .text(Asset.EmbeddingStatus.processing.rawValue),
                .integer(run.asset))
            return try Self.ingestion(of: run, in: db)
        }
    }

    /// Those that are to be resumed come first: they hold half of what they read.
    private static let oldest = """
        SELECT line, tenant FROM operations WHERE is_waiting = 1 ORDER BY status DESC, line LIMIT 100
        """

    /// The first of each tenant, found from tenant to tenant: all else that a tenant has waiting is passed over.
    private static let oldestOfTenants = """
        WITH RECURSIVE tenants (tenant) AS (
            SELECT min(tenant) FROM operations WHERE is_waiting = 1
            UNION ALL
            SELECT (SELECT min(tenant) FROM operations WHERE is_waiting = 1 AND tenant > tenants.tenant)
            FROM tenants WHERE tenant IS NOT NULL
        )
        SELECT operations.line, operations.tenant FROM tenants JOIN operations ON operations.line = (
            SELECT line FROM operations WHERE is_waiting = 1 AND tenant = tenants.tenant
            ORDER BY status DESC, line LIMIT 1)
        ORDER BY operations.status DESC, operations.line
        """

    /// Where many of one tenant come first, which has enough, the others are looked for past all of those.
    private static func oldestWaiting(excluding excluded: Set<TenantID>, in db: Database) throws -> Int64? {
        for query in [oldest, oldestOfTenants] {
            var line: Int64?
            try db.each(query) { row in
                if let tenant = TenantID(row.text(1)), excluded.contains(tenant) { return true }
                line = row.integer(0)
                return false
            }
            if let line { return line }
        }
        return nil
    }

    private static func ingestion(of run: Run, in db: Database) throws -> Ingestion {
        guard let asset = try AssetRow.find(line: run.asset, in: db)?.asset,
            let operation = try OperationRow.find(line: run.line, of: asset, in: db),
            let isForced = try db.first(
                "SELECT is_forced FROM operations WHERE line = ?", .integer(run.line), read: { $0.integer(0) != 0 })
        else { throw MalformedRow() }
        return Ingestion(
            operation: operation, asset: asset, upload: try Upload.find(ofAsset: run.asset, in: db), isForced: isForced,
            chosen: run.isChosen ? try chosen(of: run, in: db) : nil,
            linked: run.isResumed ? try ItemRow.linked(of: run, in: db) : [])
    }

    private enum ChosenColumn: Int32, Columns {
        case key, fileName, contentType, sourceURL, fileSize, note, isWholeSource
    }

    private static let chosen = """
        SELECT \(ChosenColumn.list) FROM documents
        WHERE line IN (SELECT document FROM chosen_documents WHERE operation = ?) ORDER BY line
        """

    /// Without versions: only the source tells the one that it has now.
    private static func chosen(of run: Run, in db: Database) throws -> [SourceItem] {
        try db.all(chosen, .integer(run.line)) { row in
            SourceItem(
                key: row.text(ChosenColumn.key), fileName: row.text(ChosenColumn.fileName),
                contentType: row.textIfAny(ChosenColumn.contentType), sourceURL: row.textIfAny(ChosenColumn.sourceURL),
                size: row.integerIfAny(ChosenColumn.fileSize).map { Int($0) },
                isWholeSource: row.flag(ChosenColumn.isWholeSource), note: row.textIfAny(ChosenColumn.note))
        }
    }

    public func end(
        _ operation: OperationID, _ end: IngestionEnd, at now: Timestamp
    ) async throws(AssetStoreError) -> AssetOperation? {
        let (ended, leavesText) = try await writer.write(isEnding: true) { db -> (AssetOperation?, Bool) in
            guard let run = try Run.find(operation, in: db) else { return (nil, false) }
            // One that waits again, since the process ended meanwhile, is not this caller's.
            let leavesText = run.status == .running && !run.isWaiting ? try run.end(end, at: now, in: db) : false
            guard let asset = try AssetRow.find(line: run.asset, in: db)?.asset else { throw MalformedRow() }
            return (try OperationRow.find(line: run.line, of: asset, in: db), leavesText)
        }
        if leavesText { await purge() }
        return ended
    }
}
