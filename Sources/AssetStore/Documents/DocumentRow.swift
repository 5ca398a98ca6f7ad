import Assets
import Formats
import GRDB

/// A document as a row, as callers see it.
struct DocumentRow {
    let line: Int64
    let document: Document
    /// `nil` where no reading of it worked.
    let text: TextID?

    private enum Column: Int32, Columns {
        case line, id, fileName, contentType, sourceURL, fileSize, status, text, chunkCount, tokenCount, errorCode
        case errorMessage, createdAt, modifiedAt, processedAt
    }

    private static let ofAsset = """
        SELECT \(Column.list) FROM documents
        WHERE id = ? AND asset = (SELECT line FROM assets WHERE id = ? AND tenant = ?)
        """
    private static let page = """
        SELECT \(Column.list) FROM documents
        WHERE asset = ?1 AND line > ?2 AND (?3 IS NULL OR instr(folded_name, ?3) > 0)
        ORDER BY line LIMIT ?4 OFFSET ?5
        """

    static func find(
        _ id: DocumentID, of asset: AssetID, _ tenant: TenantID, in db: Database
    ) throws -> DocumentRow? {
        try db.first(ofAsset, .blob(id.bytes), .blob(asset.bytes), .text(tenant.description)) {
            try DocumentRow($0, of: asset)
        }
    }

    /// Oldest first.
    static func list(
        of asset: AssetRow, matching search: SQLValue, _ page: PageRequest, in db: Database
    ) throws -> [(Int64, Document)] {
        try db.all(
            Self.page, .integer(asset.line), .integer(page.after?.number ?? 0), search, .integer(page.limit),
            .integer(page.offset)
        ) { row in
            let row = try DocumentRow(row, of: asset.asset.id)
            return (row.line, row.document)
        }
    }

    private init(_ row: SQLRow, of asset: AssetID) throws {
        guard let id = DocumentID(bytes: row.blob(Column.id)),
            let status = Document.Status(rawValue: row.text(Column.status))
        else { throw MalformedRow() }
        line = row.integer(Column.line)
        text = row.integerIfAny(Column.text).map { TextID(number: $0) }
        document = Document(
            id: id, asset: asset, fileName: row.text(Column.fileName), contentType: row.textIfAny(Column.contentType),
            sourceURL: row.textIfAny(Column.sourceURL), fileSize: row.integerIfAny(Column.fileSize).map { Int($0) },
            status: status, chunkCount: row.count(Column.chunkCount), tokenCount: row.count(Column.tokenCount),
            // One that is tried again keeps the failure of before, in case that the work on it is dropped.
            failure: status == .failed ? try Self.failure(row) : nil, createdAt: row.timestamp(Column.createdAt),
            modifiedAt: row.timestamp(Column.modifiedAt), processedAt: row.timestampIfAny(Column.processedAt))
    }

    private static func failure(_ row: SQLRow) throws(MalformedRow) -> Document.Failure {
        guard let code = Document.Code(rawValue: row.text(Column.errorCode)) else { throw MalformedRow() }
        return Document.Failure(code, row.text(Column.errorMessage))
    }
}
