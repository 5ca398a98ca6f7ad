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

    /// The most bytes of a page's text. A thousand of the longest chunks would be 32 MB, which are too many to hold for
    /// each of those who ask, and for a slow client to take in time; a thousand of the usual length are less.
    private static let mostBytes = 2 << 20

    /// In order, each with its place in the list; the page is made shorter where they are long.
    func chunks(_ page: inout PageRequest, in db: Database) throws -> [(Int64, Chunk)] {
        var (chunks, bytes): ([(Int64, Chunk)], Int) = ([], 0)
        try db.each(
            Self.page, .integer(line(after: page.after?.number)), .integer(last), .integer(page.limit),
            .integer(page.offset)
        ) { row in
            let chunk = try Self.chunk(row)
            chunks.append((Int64(chunk.index), chunk))
            bytes += chunk.content.utf8.count
            return bytes <= Self.mostBytes
        }
        // The one that was too much is the one more by which a page is known not to be the last.
        if bytes > Self.mostBytes { page.size = min(page.size, max(chunks.count - 1, 1)) }
        return chunks
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
