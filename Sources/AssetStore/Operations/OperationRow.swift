import Assets
import Formats
import GRDB

/// An operation as a row, and back.
enum OperationRow {
    enum Column: Int32, Columns {
        case line, id, kind, status, createdAt, updatedAt, startedAt, completedAt
        case itemsTotal, itemsProcessed, itemsFailed, itemsSkipped, itemsRemoved, chunkCount, tokenCount
        case provider, model, errorCode, errorMessage, createdBy, isCancelRequested
    }

    private static let ofAsset = """
        SELECT \(Column.list) FROM operations
        WHERE id = ? AND asset = (SELECT line FROM assets WHERE id = ? AND tenant = ?)
        """
    private static let byLine = "SELECT \(Column.list) FROM operations WHERE line = ?"

    static func find(
        _ id: OperationID, of asset: AssetID, _ tenant: TenantID, in db: Database
    ) throws -> (line: Int64, operation: AssetOperation)? {
        try db.first(ofAsset, .blob(id.bytes), .blob(asset.bytes), .text(tenant.description)) { row in
            (row.integer(Column.line), try operation(row, of: asset, tenant))
        }
    }

    /// - Parameter asset: the one that the operation belongs to.
    static func find(line: Int64, of asset: Asset, in db: Database) throws -> AssetOperation? {
        try db.first(byLine, .integer(line)) { try operation($0, of: asset.id, asset.tenant) }
    }

    /// Reads `Column.list`.
    static func operation(_ row: SQLRow, of asset: AssetID, _ tenant: TenantID) throws -> AssetOperation {
        guard let id = OperationID(bytes: row.blob(Column.id)),
            let kind = AssetOperation.Kind(rawValue: row.text(Column.kind)),
            let status = AssetOperation.Status(rawValue: row.text(Column.status))
        else { throw MalformedRow() }
        return AssetOperation(
            id: id, asset: asset, tenant: tenant, kind: kind, status: status,
            createdAt: row.timestamp(Column.createdAt), updatedAt: row.timestamp(Column.updatedAt),
            startedAt: row.timestampIfAny(Column.startedAt), completedAt: row.timestampIfAny(Column.completedAt),
            counters: counters(row), model: EmbeddingModel.Name(row, Column.provider, Column.model),
            failure: try failure(row), createdBy: row.textIfAny(Column.createdBy),
            isCancelRequested: row.flag(Column.isCancelRequested))
    }

    private static func counters(_ row: SQLRow) -> AssetOperation.Counters {
        var counters = AssetOperation.Counters()
        counters.itemsTotal = row.count(Column.itemsTotal)
        counters.itemsProcessed = row.count(Column.itemsProcessed)
        counters.itemsFailed = row.count(Column.itemsFailed)
        counters.itemsSkipped = row.count(Column.itemsSkipped)
        counters.itemsRemoved = row.count(Column.itemsRemoved)
        counters.chunkCount = row.count(Column.chunkCount)
        counters.tokenCount = row.count(Column.tokenCount)
        return counters
    }

    private static func failure(_ row: SQLRow) throws(MalformedRow) -> AssetOperation.Failure? {
        guard let text = row.textIfAny(Column.errorCode) else { return nil }
        guard let code = AssetOperation.Code(rawValue: text) else { throw MalformedRow() }
        return AssetOperation.Failure(code, row.text(Column.errorMessage))
    }

    /// Adds an operation that is PENDING.
    ///
    /// - Parameter choice: the lines of the documents that are to be looked at; `nil`: all that the source has.
    static func insert(
        _ operation: AssetOperation, of asset: Int64, isForced: Bool, choice: [Int64]?, into db: Database
    ) throws {
        try db.run(
            """
            INSERT INTO operations (id, asset, tenant, kind, status, is_waiting, is_forced, is_chosen, created_at,
                updated_at, provider, model, created_by) VALUES (?, ?, ?, ?, 'PENDING', 1, ?, ?, ?, ?, ?, ?, ?)
            """, .blob(operation.id.bytes), .integer(asset), .text(operation.tenant.description),
            .text(operation.kind.rawValue), .integer(isForced), .integer(choice != nil), .moment(operation.createdAt),
            .moment(operation.updatedAt), .text(operation.model?.provider), .text(operation.model?.model),
            .text(operation.createdBy))
        let line = db.lastInsertedRowID
        for document in choice ?? [] {
            try db.run("INSERT OR IGNORE INTO chosen_documents VALUES (?, ?)", .integer(line), .integer(document))
        }
    }
}
