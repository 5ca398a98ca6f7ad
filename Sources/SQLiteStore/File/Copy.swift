import Foundation
import GRDB

/// Copies of a database: they hold no token and no way to one.
extension SQLiteStore {
    /// Writes a consistent copy of the database at `path` to the new file `copy`, while brokers run.
    ///
    /// Credential keys and revocations are left out, and flows are ended in it: what was redeemed since must not come
    /// back with it. An existing `copy` is replaced; where this throws, it stays as it was.
    public static func copy(path: String, to copy: String) throws(OpeningError) {
        let unfinished = copy + ".part"
        do {
            try? FileManager.default.removeItem(atPath: unfinished)
            try StoreFile.prepare(unfinished)
            // Without a transaction: VACUUM begins its own.
            try StoreFile.openForReading(path).unsafeRead { db in
                try db.execute(sql: "VACUUM INTO ?", arguments: [unfinished])
            }
            var configuration = Configuration()
            configuration.journalMode = .default
            let queue = try DatabaseQueue(path: unfinished, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                try db.execute(
                    sql: "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE")
                try db.execute(
                    sql: """
                        DELETE FROM credential_keys;
                        DELETE FROM revocations;
                        DELETE FROM refreshes;
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
            throw StoreFile.opening(error, copy)
        }
    }

    /// Puts a copy in the place of the database at `path`, which no broker may have open. Returns the name under which
    /// what was there stays beside it; `nil` where nothing was.
    public static func restore(_ copy: String, to path: String) throws(OpeningError) -> String? {
        try inspect(path: copy)
        let restored = path + ".part"
        // Again a copy, so that what a file holds that was not made by `copy` does not come back either.
        try self.copy(path: copy, to: restored)
        do {
            var old: String?
            if FileManager.default.fileExists(atPath: path) {
                let name = path + ".before-" + Date().formatted(.iso8601).replacing(":", with: "")
                // A log that belongs to the old database would be taken into the new one.
                for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                    try FileManager.default.moveItem(atPath: path + suffix, toPath: name + suffix)
                }
                old = name
            }
            try StoreFile.putInPlace(restored, as: path)
            return old
        } catch {
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
