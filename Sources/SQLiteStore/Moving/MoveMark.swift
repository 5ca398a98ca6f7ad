import Foundation
import GRDB
import StoreParts

/// The mark of a database that was moved to another store.
///
/// It is the file's own number of its kind (`application_id`), so that programs of every version refuse it, with the
/// name of the copy in a table.
enum MoveMark {
    static func isSet(_ db: Database) throws -> Bool {
        try Int32.fetchOne(db, sql: "PRAGMA application_id") == Schema.movedID
    }

    static func read(_ db: Database) throws -> CopyMark? {
        guard try isSet(db), try db.tableExists("moved"),
            let row = try Row.fetchOne(db, sql: "SELECT copy, has_begun FROM moved"),
            let id = Data.fromDatabaseValue(row[0]), let state = Int64.fromDatabaseValue(row[1])
        else { return nil }
        return CopyMark(id: Array(id), hasBegun: state != 0, isFinished: state == finished)
    }

    /// In the place of 1, for versions that know the two values of `has_begun` alone.
    static let finished: Int64 = 2

    static func set(_ db: Database, _ id: [UInt8]) throws {
        try db.execute(
            sql: """
                DROP TABLE IF EXISTS moved;
                CREATE TABLE moved (copy BLOB NOT NULL, has_begun INTEGER NOT NULL DEFAULT 0);
                """)
        try db.execute(sql: "INSERT INTO moved (copy) VALUES (?)", arguments: [Data(id)])
        try db.execute(sql: "PRAGMA application_id = \(Schema.movedID)")
    }

    static func clear(_ db: Database) throws {
        try db.execute(sql: "DROP TABLE IF EXISTS moved; PRAGMA application_id = \(Schema.applicationID)")
    }

    /// Has the mark in the file itself, where programs look before they open it, and not in the log beside it.
    static func keepInFile(_ queue: DatabaseQueue, _ path: String) throws {
        let isBusy = try queue.writeWithoutTransaction { db in
            try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") != 0
        }
        guard !isBusy else { throw OpeningError.inUse(path: path) }
    }
}
