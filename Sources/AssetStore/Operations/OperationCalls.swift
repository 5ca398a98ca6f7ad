public import Assets
public import Formats
import GRDB

/// Operations, as callers ask for and end them.
extension SQLiteAssetStore {
    public func operation(
        _ id: OperationID, of asset: AssetID, _ tenant: TenantID
    ) async throws(AssetStoreError) -> AssetOperation? {
        try await points.first { try OperationRow.find(id, of: asset, tenant, in: $0)?.operation }
    }

    private static let page = """
        SELECT \(OperationRow.Column.list) FROM operations WHERE asset = ? AND line < ?
        ORDER BY line DESC LIMIT ? OFFSET ?
        """

    public func operations(
        of asset: AssetID, _ tenant: TenantID, _ page: PageRequest
    ) async throws(AssetStoreError) -> Page<AssetOperation>? {
        try await lists.read { db in
            guard let line = try AssetRow.line(of: asset, tenant, in: db) else { return nil }
            let rows = try db.all(
                Self.page, .integer(line), .integer(page.after?.number ?? .max), .integer(page.limit),
                .integer(page.offset)
            ) { row in
                (row.integer(OperationRow.Column.line), try OperationRow.operation(row, of: asset, tenant))
            }
            let total = try db.first("SELECT count(*) FROM operations WHERE asset = ?", .integer(line)) {
                $0.integer(0)
            }
            return Page(rows, of: page, totalCount: Int(total ?? 0))
        }
    }

    public func cancel(
        _ id: OperationID, of asset: AssetID, _ tenant: TenantID, at now: Timestamp
    ) async throws(AssetStoreError) -> AssetOperation? {
        let (operation, leavesText) = try await writer.write(isEnding: true) { db -> (AssetOperation?, Bool) in
            guard let found = try OperationRow.find(id, of: asset, tenant, in: db),
                let run = try Run.find(line: found.line, in: db)
            else { return (nil, false) }
            guard !run.status.isDone else { return (found.operation, false) }
            try db.run(
                "UPDATE operations SET is_cancel_requested = 1, updated_at = max(updated_at, ?) WHERE line = ?",
                .moment(now), .integer(run.line))
            // Nobody works on one that waits, so nobody would end it.
            let leavesText = run.isWaiting ? try run.end(.cancelled, at: now, in: db) : false
            return (try OperationRow.find(id, of: asset, tenant, in: db)?.operation, leavesText)
        }
        if leavesText { await purge() }
        return operation
    }
}
