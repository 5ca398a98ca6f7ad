import Assets
import Formats
import Foundation
import GRDB
import Secrets

/// A document as the ingestion needs it.
struct KeptDocument {
    let line: Int64
    let status: Document.Status
    let text: TextID?
    let chunkCount: Int
    let version: ItemVersion?
    /// A reading of it worked, now or before: it has text, be it empty.
    let hasText: Bool
    let hasFailure: Bool

    private enum Column: Int32, Columns {
        case line, status, text, chunkCount, version, hasText, hasFailure

        var sql: String {
            switch self {
            case .hasText: "processed_at IS NOT NULL"
            case .hasFailure: "error_code IS NOT NULL"
            default: name
            }
        }
    }

    /// A condition: nothing came of it yet.
    static let isNew = "processed_at IS NULL AND error_code IS NULL"

    /// Nothing came of it yet.
    var isNew: Bool { !hasText && !hasFailure }

    private static let byLine = "SELECT \(Column.list) FROM documents WHERE line = ?"
    private static let byKey = "SELECT \(Column.list) FROM documents WHERE asset = ? AND key_digest = ?"

    /// `nil` where it was deleted.
    static func find(line: Int64, in db: Database) throws -> KeptDocument? {
        try db.first(byLine, .integer(line), read: KeptDocument.init)
    }

    static func find(_ key: Digest, ofAsset asset: Int64, in db: Database) throws -> KeptDocument? {
        try db.first(byKey, .integer(asset), .blob(key.bytes), read: KeptDocument.init)
    }

    private init(_ row: SQLRow) throws {
        guard let status = Document.Status(rawValue: row.text(Column.status)) else { throw MalformedRow() }
        line = row.integer(Column.line)
        self.status = status
        text = row.integerIfAny(Column.text).map { TextID(number: $0) }
        chunkCount = row.count(Column.chunkCount)
        version = row.textIfAny(Column.version).map { ItemVersion($0) }
        hasText = row.flag(Column.hasText)
        hasFailure = row.flag(Column.hasFailure)
    }

    private static let insertion = """
        INSERT INTO documents (id, asset, key_digest, key, file_name, folded_name, content_type, source_url, file_size,
            note, is_whole_source, status, created_at, modified_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'PENDING', ?, ?)
        """

    /// Adds the document of an item that was found first now, and gives its line.
    static func insert(_ found: FoundItem, to asset: Int64, at now: Timestamp, in db: Database) throws -> Int64 {
        let item = found.item
        try db.run(
            insertion, .blob(DocumentID(madeAt: now).bytes), .integer(asset), .blob(found.key.bytes), .text(item.key),
            .text(item.fileName), .text(FoldedText(item.fileName).text), .text(item.contentType), .text(item.sourceURL),
            .integer(item.size), .text(item.note), .integer(item.isWholeSource), .moment(now), .moment(now))
        return db.lastInsertedRowID
    }

    private static let beginning = """
        UPDATE documents SET status = 'PROCESSING', modified_at = max(modified_at, ?)
        WHERE line = ? AND processed_at IS NULL
        """

    /// Notes that a document is in work that has no text yet; `false` where it has, or is gone.
    static func begin(_ line: Int64, at now: Timestamp, in db: Database) throws -> Bool {
        try db.run(beginning, .moment(now), .integer(line))
        return db.changesCount > 0
    }

    /// The work on it is dropped: it is as it was before that.
    func restore(in db: Database) throws {
        guard status == .processing else { return }
        let before: Document.Status = hasFailure ? .failed : .pending
        try db.run("UPDATE documents SET status = ? WHERE line = ?", .text(before.rawValue), .integer(line))
    }
}
