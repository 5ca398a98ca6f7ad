import Assets
import Formats
import GRDB

/// The part of an operation that each call of its run looks at.
struct Run {
    let line: Int64
    let asset: Int64
    let status: AssetOperation.Status
    /// It waits for a worker: nobody works on it.
    let isWaiting: Bool
    /// It was running when the process ended last, and what others had led to was not given out again yet.
    let isResumed: Bool
    let isCancelRequested: Bool
    let isChosen: Bool

    private enum Column: Int32, Columns {
        case line, asset, status, isWaiting, isResumed, isCancelRequested, isChosen
    }

    private static let byID = "SELECT \(Column.list) FROM operations WHERE id = ?"
    private static let byLine = "SELECT \(Column.list) FROM operations WHERE line = ?"
    private static let newest = "SELECT \(Column.list) FROM operations WHERE asset = ? ORDER BY line DESC LIMIT 1"

    static func find(_ id: OperationID, in db: Database) throws -> Run? {
        try db.first(byID, .blob(id.bytes), read: Run.init)
    }

    static func find(line: Int64, in db: Database) throws -> Run? {
        try db.first(byLine, .integer(line), read: Run.init)
    }

    /// The newest operation of an asset: the only one that may not be done yet.
    static func newest(of asset: Int64, in db: Database) throws -> Run? {
        try db.first(newest, .integer(asset), read: Run.init)
    }

    private init(_ row: SQLRow) throws {
        guard let status = AssetOperation.Status(rawValue: row.text(Column.status)) else { throw MalformedRow() }
        line = row.integer(Column.line)
        asset = row.integer(Column.asset)
        self.status = status
        isWaiting = row.flag(Column.isWaiting)
        isResumed = row.flag(Column.isResumed)
        isCancelRequested = row.flag(Column.isCancelRequested)
        isChosen = row.flag(Column.isChosen)
    }

    /// The ingestion may write for it.
    var goesOn: Bool { status == .running && !isCancelRequested }
}
