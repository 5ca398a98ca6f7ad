import GRDB
import GRDBSQLite

/// A value to bind to a statement.
enum SQLValue {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    static func text(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
    static func blob(_ bytes: [UInt8]?) -> SQLValue { bytes.map { .blob($0) } ?? .null }

    /// The bytes that have to stay in their place while it is bound.
    fileprivate var byteCount: Int {
        switch self {
        case .null, .integer: 0
        case .text(let text): text.utf8.count
        case .blob(let bytes): bytes.count
        }
    }
}

/// The columns of the row that a statement stands at. Valid only until the statement goes on.
struct SQLRow {
    fileprivate let statement: OpaquePointer

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    /// 0 where it is NULL.
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    /// Empty where it is NULL.
    func text(_ column: Int32) -> String {
        // The text first: asking for it may convert the value, and change how long it is.
        guard let start = sqlite3_column_text(statement, column) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Empty where it is NULL.
    func blob(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    func textIfAny(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func blobIfAny(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : blob(column) }
}

/// The operations of every flow bind and read through libsqlite3 itself: GRDB's rows and arguments would cost as much
/// as SQLite's own work. GRDB keeps the statements prepared.
extension Database {
    /// Runs a statement to its end and drops what it returns.
    func run(_ sql: String, _ values: SQLValue...) throws {
        _ = try first(sql, values) { _ in }
    }

    /// Runs a statement to its end and tells whether it changed or deleted a row.
    ///
    /// Not `RETURNING`: SQLite makes a table for it each time, which costs as much as the statement itself.
    func changesRow(_ sql: String, _ values: SQLValue...) throws -> Bool {
        // By the sum of all: the count of the last statement stays as it is where one changes nothing by its kind.
        let before = totalChangesCount
        _ = try first(sql, values) { _ in }
        return totalChangesCount > before
    }

    /// Runs a statement to its end; what `read` makes of its first row, if there is one.
    func first<Result>(_ sql: String, _ values: SQLValue..., read: (SQLRow) throws -> Result) throws -> Result? {
        try first(sql, values, read: read)
    }

    private func first<Result>(_ sql: String, _ values: [SQLValue], read: (SQLRow) throws -> Result) throws -> Result? {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        let room = values.reduce(0) { $0 + $1.byteCount }
        return try withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { bytes in
            // Whatever happens, the next use finds it unbound and at its start; a failure was thrown already.
            defer {
                sqlite3_reset(statement)
                sqlite3_clear_bindings(statement)
            }
            var free = bytes[...]
            for (index, value) in values.enumerated() {
                let code = Self.bind(value, at: Int32(index + 1), of: statement, in: &free)
                guard code == SQLITE_OK else { throw failure(code) }
            }
            var result: Result?
            while true {
                switch sqlite3_step(statement) {
                case SQLITE_ROW: if result == nil { result = try read(SQLRow(statement: statement)) }
                case SQLITE_DONE: return result
                case let code: throw failure(code)
                }
            }
        }
    }

    /// Text and bytes are put into `room`, which stays where it is until the statement was run: SQLite's own copies
    /// would be an allocation each.
    private static func bind(
        _ value: SQLValue, at index: Int32, of statement: OpaquePointer,
        in room: inout Slice<UnsafeMutableRawBufferPointer>
    ) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .text(var text):
            let kept = text.withUTF8 { Self.put(UnsafeRawBufferPointer($0), into: &room) }
            // Empty text may have no address, which would bind NULL.
            let start = kept.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
            return sqlite3_bind_text(
                statement, index, start.assumingMemoryBound(to: CChar.self), Int32(kept.count), nil)
        case .blob(let bytes):
            if bytes.isEmpty { return sqlite3_bind_zeroblob(statement, index, 0) }
            let kept = bytes.withUnsafeBytes { Self.put($0, into: &room) }
            return sqlite3_bind_blob(statement, index, kept.baseAddress, Int32(kept.count), nil)
        }
    }

    private static let empty: StaticString = ""

    private static func put(
        _ bytes: UnsafeRawBufferPointer, into room: inout Slice<UnsafeMutableRawBufferPointer>
    ) -> UnsafeRawBufferPointer {
        let place = UnsafeMutableRawBufferPointer(rebasing: room.prefix(bytes.count))
        place.copyMemory(from: bytes)
        room = room.dropFirst(bytes.count)
        return UnsafeRawBufferPointer(place)
    }

    /// Names the result code and SQLite's words for it, never a value.
    private func failure(_ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: sqliteConnection.map { String(cString: sqlite3_errmsg($0)) })
    }
}
