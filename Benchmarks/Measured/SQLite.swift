import GRDBSQLite

/// A database through SQLite's own C interface.
final class SQLite {
    private let handle: OpaquePointer

    init(_ path: String) throws {
        var handle: OpaquePointer?
        guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else { throw Trouble("cannot open \(path)") }
        sqlite3_busy_timeout(handle, 5000)
        self.handle = handle
    }

    deinit { sqlite3_close_v2(handle) }

    /// Runs statements, ignoring what they return.
    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure }
    }

    func texts(_ sql: String) throws -> [String] {
        let statement = try prepare(sql)
        var texts: [String] = []
        while try statement.step() { texts.append(statement.text(0)) }
        return texts
    }

    func blobs(_ sql: String) throws -> [[UInt8]] {
        let statement = try prepare(sql)
        var blobs: [[UInt8]] = []
        while try statement.step() { blobs.append(statement.bytes(0)) }
        return blobs
    }

    func prepare(_ sql: String) throws -> Statement {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else { throw failure }
        return Statement(statement, of: self)
    }

    fileprivate var failure: Trouble { Trouble("SQLite: \(String(cString: sqlite3_errmsg(handle)))") }

    final class Statement {
        private let handle: OpaquePointer
        private let database: SQLite
        /// `SQLITE_TRANSIENT`: SQLite takes a copy.
        private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

        fileprivate init(_ handle: OpaquePointer, of database: SQLite) {
            self.handle = handle
            self.database = database
        }

        deinit { sqlite3_finalize(handle) }

        /// Binds the four values of a deletion.
        func bind(_ key: [UInt8], _ tenant: String, _ now: Int64, _ challenge: String) throws {
            sqlite3_reset(handle)
            guard sqlite3_bind_blob(handle, 1, key, Int32(key.count), transient) == SQLITE_OK,
                sqlite3_bind_text(handle, 2, tenant, -1, transient) == SQLITE_OK,
                sqlite3_bind_int64(handle, 3, now) == SQLITE_OK,
                sqlite3_bind_text(handle, 4, challenge, -1, transient) == SQLITE_OK
            else { throw database.failure }
        }

        /// `true` while there are rows.
        func step() throws -> Bool {
            switch sqlite3_step(handle) {
            case SQLITE_ROW: return true
            case SQLITE_DONE: return false
            default: throw database.failure
            }
        }

        func bytes(_ column: Int32) -> [UInt8] {
            let count = Int(sqlite3_column_bytes(handle, column))
            return [UInt8](UnsafeRawBufferPointer(start: sqlite3_column_blob(handle, column), count: count))
        }

        func text(_ column: Int32) -> String {
            sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
        }
    }
}
