import Assets
import GRDB

/// Chunks as rows.
extension TextID {
    private enum Column: Int32, Columns {
        case line, tokenCount, scalarStart, scalarEnd, lineStart, lineEnd, page, headingPath, content
    }

    private static let page = """
        SELECT \(Column.list) FROM chunks WHERE line > ? AND line <= ? ORDER BY line LIMIT ? OFFSET ?
        """

    /// In order, each with its place in the list.
    func chunks(_ page: PageRequest, in db: Database) throws -> [(Int64, Chunk)] {
        try db.all(
            Self.page, .integer(line(after: page.after?.number)), .integer(last), .integer(page.limit),
            .integer(page.offset)
        ) { row in
            let chunk = try Self.chunk(row)
            return (Int64(chunk.index), chunk)
        }
    }

    private static func chunk(_ row: SQLRow) throws(MalformedRow) -> Chunk {
        let (start, end) = (row.count(Column.scalarStart), row.count(Column.scalarEnd))
        let (lineStart, lineEnd) = (row.count(Column.lineStart), row.count(Column.lineEnd))
        guard start <= end, lineStart <= lineEnd else { throw MalformedRow() }
        return Chunk(
            index: index(row.integer(Column.line)), content: row.text(Column.content),
            headingPath: row.textIfAny(Column.headingPath), page: row.integerIfAny(Column.page).map { Int($0) },
            scalars: start..<end, lines: lineStart...lineEnd, tokenCount: row.count(Column.tokenCount))
    }
}
