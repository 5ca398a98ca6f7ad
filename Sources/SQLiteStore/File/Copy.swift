import Foundation
import GRDB

/// Copies of a database: they hold no token and no way to one.
extension SQLiteStore {
    /// Writes a consistent copy of the database at `path` to the new file `copy`, while brokers run.
    ///
    /// Credential keys, kept refreshes and revocations are left out, and flows are ended in it: what was redeemed since
    /// must not come back with it. An existing `copy` is replaced; where this throws, it stays as it was.
    public static func copy(path: String, to copy: String) throws(OpeningError) {
        let unfinished = copy + ".part"
        do {
            try? FileManager.default.removeItem(atPath: unfinished)
            try StoreFile.prepare(unfinished)
            try vacuum(path, into: unfinished)
            var configuration = Configuration()
            configuration.journalMode = .default
            let queue = try DatabaseQueue(path: unfinished, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                try db.execute(
                    sql: "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE")
                // Old versions have not all of them.
                for table in ["revocations", "refreshes"] where try db.tableExists(table) {
                    try db.execute(sql: "DELETE FROM \(table)")
                }
                try db.execute(
                    sql: """
                        DELETE FROM credential_keys;
                        UPDATE flows SET status = \(FlowRow.Status.failed), error = '\(FlowRow.revoked)', key_digest = NULL
                            WHERE \(FlowRow.Status.isLive);
                        UPDATE flows SET sealed_key = NULL;
                        """)
                // What was deleted is in no free page.
                try db.execute(sql: "VACUUM")
                let finding = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "ok"
                guard finding == "ok" else { throw OpeningError.corrupt(path: path, finding: finding) }
            }
            try queue.close()
            try StoreFile.putInPlace(unfinished, as: copy)
        } catch {
            try? FileManager.default.removeItem(atPath: unfinished)
            // By the name that was asked for.
            if case OpeningError.cannotCreate(_, let reason) = error { throw .cannotCreate(path: copy, reason: reason) }
            throw StoreFile.opening(error, copy)
        }
    }

    /// Copies the pages of a database. A failure that is the source's is thrown with its path, so that
    /// nobody looks for it in the new file.
    private static func vacuum(_ path: String, into copy: String) throws {
        let source: DatabaseQueue
        do {
            source = try StoreFile.openForReading(path)
        } catch {
            throw StoreFile.opening(error, path)
        }
        do {
            // Without a transaction: VACUUM begins its own.
            try source.unsafeRead { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
        } catch let error as DatabaseError where error.isOfSource {
            throw StoreFile.opening(error, path)
        }
    }

    /// Puts a copy in the place of a database. Returns the name under which what was there stays beside it; `nil` where
    /// nothing was. Where this throws, the old one is in its place.
    public static func restore(_ copy: String, to database: IdleDatabase) throws(OpeningError) -> String? {
        try restore(copy, to: database) { try FileManager.default.moveItem(atPath: $0, toPath: $1) }
    }

    static func restore(
        _ copy: String, to database: IdleDatabase, moving move: (String, String) throws -> Void
    ) throws(OpeningError) -> String? {
        try inspect(path: copy)
        let path = database.path
        let restored = path + ".part"
        // Again a copy, so that what a file holds that was not made by `copy` does not come back either.
        try self.copy(path: copy, to: restored)
        let name = path + ".before-" + Date().formatted(.iso8601).replacing(":", with: "")
        let hadOld = FileManager.default.fileExists(atPath: path)
        var moved: [String] = []
        do {
            // A log that belongs to the old database would be taken into the new one.
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                try move(path + suffix, name + suffix)
                moved.append(suffix)
            }
            try StoreFile.putInPlace(restored, as: path)
            return hadOld ? name : nil
        } catch {
            for suffix in moved { try? FileManager.default.moveItem(atPath: name + suffix, toPath: path + suffix) }
            // It holds tenants' secrets, sealed.
            try? FileManager.default.removeItem(atPath: restored)
            throw StoreFile.opening(error, path)
        }
    }

    /// The facts about a database that `cloakroom doctor` reports.
    public struct Condition: Sendable {
        /// `ok`, or the first damage that SQLite's `quick_check` names.
        public let finding: String
        /// The size of the `-wal` file; 0 where there is none.
        public let writeAheadLogBytes: Int
        /// The file's POSIX permissions: 0600 as this program makes it.
        public let fileMode: Int
    }

    /// Reads the whole database. Changes nothing.
    public static func condition(path: String) throws(OpeningError) -> Condition {
        do {
            let finding = try StoreFile.openForReading(path).read { db in
                try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "ok"
            }
            let log = try? FileManager.default.attributesOfItem(atPath: path + "-wal")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            return Condition(finding: finding, writeAheadLogBytes: log?[.size] as? Int ?? 0, fileMode: mode ?? 0)
        } catch {
            throw StoreFile.opening(error, path)
        }
    }
}

extension DatabaseError {
    /// Of a copy: the file that is read is at fault, not the one that is written.
    fileprivate var isOfSource: Bool { [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_BUSY].contains(resultCode) }
}
