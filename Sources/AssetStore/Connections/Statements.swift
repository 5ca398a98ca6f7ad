import GRDB
import GRDBSQLite

/// A value to bind to a statement.
enum SQLValue {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    static func integer(_ number: Int) -> SQLValue { .integer(Int64(number)) }
    static func integer(_ flag: Bool) -> SQLValue { .integer(flag ? Int64(1) : 0) }
    static func integer(_ number: Int?) -> SQLValue { number.map { .integer(Int64($0)) } ?? .null }
    static func text(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
    static func blob(_ bytes: [UInt8]?) -> SQLValue { bytes.map { .blob($0) } ?? .null }
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
}

/// Statements are bound and read through libsqlite3 itself: GRDB's rows and arguments would cost as much as SQLite's own
/// work. GRDB keeps the statements prepared.
extension Database {
    /// Runs a statement to its end and drops what it returns.
    func run(_ sql: String, _ values: SQLValue...) throws {
        try step(sql, values) { _ in true }
    }

    /// What `read` makes of a statement's first row, if there is one. The rest is not looked at: for statements that
    /// only read.
    func first<Result>(_ sql: String, _ values: SQLValue..., read: (SQLRow) throws -> Result) throws -> Result? {
        var result: Result?
        try step(sql, values) { row in
            result = try read(row)
            return false
        }
        return result
    }

    /// What `read` makes of all rows of a statement. It must not run the same statement.
    func all<Result>(_ sql: String, _ values: SQLValue..., read: (SQLRow) throws -> Result) throws -> [Result] {
        var results: [Result] = []
        try step(sql, values) { row in
            results.append(try read(row))
            return true
        }
        return results
    }

    /// Reads row after row, until `goesOn` says no.
    func each(_ sql: String, _ values: SQLValue..., goesOn: (SQLRow) throws -> Bool) throws {
        try step(sql, values, goesOn)
    }

    private func step(_ sql: String, _ values: [SQLValue], _ goesOn: (SQLRow) throws -> Bool) throws {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        // Whatever happens, the next use finds it unbound and at its start; a failure was thrown already.
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() {
            let code = Self.bind(value, at: Int32(index + 1), of: statement)
            guard code == SQLITE_OK else { throw failure(code) }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: guard try goesOn(SQLRow(statement: statement)) else { return }
            case SQLITE_DONE: return
            case let code: throw failure(code)
            }
        }
    }

    private static func bind(_ value: SQLValue, at index: Int32, of statement: OpaquePointer) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .text(var text):
            return text.withUTF8 {
                $0.withMemoryRebound(to: CChar.self) {
                    // Where there are no bytes there may be no address, which would bind NULL.
                    $0.isEmpty
                        ? sqlite3_bind_text(statement, index, "", 0, copied)
                        : sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), copied)
                }
            }
        case .blob(let bytes):
            if bytes.isEmpty { return sqlite3_bind_zeroblob(statement, index, 0) }
            return sqlite3_bind_blob(statement, index, bytes, Int32(bytes.count), copied)
        }
    }

    /// Names the result code and SQLite's words for it, never a value.
    private func failure(_ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: sqliteConnection.map { String(cString: sqlite3_errmsg($0)) })
    }
}

/// `SQLITE_TRANSIENT`, a cast that Swift does not import: SQLite copies what is bound.
private let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
