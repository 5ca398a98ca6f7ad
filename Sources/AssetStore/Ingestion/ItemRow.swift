import Assets
import Formats
import GRDB
import Secrets

/// The numbers that stand for an item's state in the table. None goes back, but at the end of the process.
enum ItemState: Int64 {
    /// Found before a crash, and not given out since.
    case waiting
    /// The ingestion has it.
    case given
    case inWork
    case read
    case unchanged
    case failed
    /// There is no document of it.
    case absent

    /// A condition: the work on the item is not done.
    static let isOpen = "state <= \(ItemState.inWork.rawValue)"
}

/// An item within an operation, as a row.
struct ItemRow {
    let line: Int64
    /// The line of its document, which may be gone.
    let document: Int64
    let state: ItemState
    let crashes: Int
    /// Another item led to it.
    let isLinked: Bool
    let stagedChunks: Int
    let stagedTokens: Int
    let item: SourceItem

    private enum Column: Int32, Columns {
        case line, document, state, crashes, isLinked, stagedChunks, stagedTokens
        case key, fileName, contentType, sourceURL, size, version, note, isWholeSource
    }

    private static let byLine = "SELECT \(Column.list) FROM items WHERE line = ? AND operation = ?"
    private static let byKey = "SELECT \(Column.list) FROM items WHERE operation = ? AND key_digest = ?"
    private static let byState = "SELECT \(Column.list) FROM items WHERE operation = ? AND state = ? ORDER BY line"

    static func find(_ id: ItemID, of run: Run, in db: Database) throws -> ItemRow? {
        try db.first(byLine, .integer(id.number), .integer(run.line), read: ItemRow.init)
    }

    static func find(_ key: Digest, of run: Run, in db: Database) throws -> ItemRow? {
        try db.first(byKey, .integer(run.line), .blob(key.bytes), read: ItemRow.init)
    }

    static func all(_ state: ItemState, of run: Run, in db: Database) throws -> [ItemRow] {
        try db.all(byState, .integer(run.line), .integer(state.rawValue), read: ItemRow.init)
    }

    private static let linked = """
        SELECT key, state = \(ItemState.absent.rawValue), note FROM items WHERE operation = ? AND is_linked = 1
        ORDER BY line
        """

    static func linked(of run: Run, in db: Database) throws -> [LinkedItem] {
        try db.all(linked, .integer(run.line)) {
            LinkedItem(key: $0.text(0), isAbsent: $0.integer(1) != 0, note: $0.isNull(2) ? nil : $0.text(2))
        }
    }

    private init(_ row: SQLRow) throws {
        guard let state = ItemState(rawValue: row.integer(Column.state)) else { throw MalformedRow() }
        line = row.integer(Column.line)
        document = row.integer(Column.document)
        self.state = state
        crashes = row.count(Column.crashes)
        isLinked = row.flag(Column.isLinked)
        stagedChunks = row.count(Column.stagedChunks)
        stagedTokens = row.count(Column.stagedTokens)
        item = SourceItem(
            key: row.text(Column.key), fileName: row.text(Column.fileName),
            contentType: row.textIfAny(Column.contentType), sourceURL: row.textIfAny(Column.sourceURL),
            size: row.integerIfAny(Column.size).map { Int($0) },
            version: row.textIfAny(Column.version).map { ItemVersion($0) },
            isWholeSource: row.flag(Column.isWholeSource), note: row.textIfAny(Column.note))
    }

    var isOpen: Bool { state.rawValue <= ItemState.inWork.rawValue }
    /// The chunks that the work on it makes.
    var text: TextID { TextID(number: line) }

    private static let insertion = """
        INSERT INTO items (operation, key_digest, document, state, is_linked, key, file_name, content_type, source_url,
            size, version, note, is_whole_source) VALUES (?, ?, ?, \(ItemState.given.rawValue), ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    /// Adds an item that is given out at once.
    static func insert(_ found: FoundItem, of document: Int64, to run: Run, in db: Database) throws -> ItemID {
        let item = found.item
        try db.run(
            insertion, .integer(run.line), .blob(found.key.bytes), .integer(document), .integer(found.isLinked),
            .text(item.key), .text(item.fileName), .text(item.contentType), .text(item.sourceURL), .integer(item.size),
            .text(item.version?.text), .text(item.note), .integer(item.isWholeSource))
        return ItemID(db.lastInsertedRowID)
    }

    private static let beginning = """
        UPDATE items SET state = \(ItemState.inWork.rawValue) WHERE line = ? AND operation = ? AND \(ItemState.isOpen)
        RETURNING document
        """

    /// Notes that an item is in work, and gives the line of its document; `nil` where it is over.
    static func begin(_ id: ItemID, of run: Run, in db: Database) throws -> Int64? {
        try db.all(beginning, .integer(id.number), .integer(run.line)) { $0.integer(0) }.first
    }

    /// - Parameter isOver: what was staged belongs to a document now, or is discarded.
    func set(_ state: ItemState, isOver: Bool = false, in db: Database) throws {
        try db.run(
            "UPDATE items SET state = ?1, staged_chunks = iif(?2, 0, staged_chunks) WHERE line = ?3",
            .integer(state.rawValue), .integer(isOver), .integer(line))
    }
}

/// An item that a listing or another item brought.
struct FoundItem {
    let item: SourceItem
    /// Of its key: what items are told apart by.
    let key: Digest
    /// Another item led to it.
    let isLinked: Bool

    init(_ item: SourceItem, isLinked: Bool) {
        self.item = item
        key = Digest(of: item.key)
        self.isLinked = isLinked
    }
}
