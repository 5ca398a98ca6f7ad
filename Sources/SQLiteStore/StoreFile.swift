import GRDB
import Glibc

/// Why a database was not opened. It is left as it is.
public enum OpeningError: Error, Equatable, Sendable {
    case cannotCreate(path: String, reason: String)
    case notADatabase(path: String)
    case corrupt(path: String, finding: String)
    case anotherProgram(path: String)
    case newer(path: String)
    case notDurable(path: String)
    case failed(path: String, reason: String)
}

/// The file of a store: made for its owner alone, looked at before it is touched.
enum StoreFile {
    /// Above this, a whole check would hold up the start; SQLite then finds damage when it meets it.
    private static let largestChecked = 16 << 20

    /// Makes sure that there is a file of mode 0600. SQLite gives its `-wal` and `-shm` files the same mode.
    static func prepare(_ path: String) throws(OpeningError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: String(cString: strerror(errno))) }
        let narrowed = fchmod(descriptor, 0o600)
        close(descriptor)
        guard narrowed == 0 else { throw .cannotCreate(path: path, reason: String(cString: strerror(errno))) }
        for suffix in ["-wal", "-shm"] { chmod(path + suffix, 0o600) }
    }

    /// Throws unless the file is empty or a sound database of ours that is not newer than this program.
    static func inspect(_ path: String) throws(OpeningError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
            guard access(folder, W_OK | X_OK) == 0 else {
                throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
            }
            return
        }
        guard access(path, R_OK | W_OK) == 0 else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_size > 0 else { return }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            try DatabaseQueue(path: path, configuration: configuration).read { db in
                let id = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
                let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
                guard id == Schema.applicationID || (id == 0 && tables == 0) else {
                    throw OpeningError.anotherProgram(path: path)
                }
                if try Schema.migrator.hasBeenSuperseded(db) { throw OpeningError.newer(path: path) }
                if status.st_size <= largestChecked {
                    let finding = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "ok"
                    guard finding == "ok" else { throw OpeningError.corrupt(path: path, finding: finding) }
                }
            }
        } catch let error as OpeningError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
            throw .notADatabase(path: path)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            throw .corrupt(path: path, finding: error.message ?? "damaged")
        } catch {
            throw .failed(path: path, reason: StoreFailure.reason(error))
        }
    }

    /// Opens the one writing connection, migrates, and proves that commits are durable.
    static func open(_ path: String) throws(OpeningError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.journalMode = .wal
        // Several brokers may share one file: each waits for the other's commit.
        configuration.busyMode = .timeout(5)
        configuration.label = "cloakroom"
        configuration.prepareDatabase { db in
            // What is deleted is overwritten: a sealed row must not outlive its redemption in free pages.
            try db.execute(sql: "PRAGMA secure_delete = ON")
            try db.execute(sql: "PRAGMA cache_size = -8000")
            // In pages: a page that many commits changed is copied back once, not at every fourth megabyte.
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
        }
        let queue: DatabaseQueue
        let synchronous: Int?
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
                // After GRDB's own setup, which chooses NORMAL: then a commit could be lost with the power.
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            try Schema.migrator.migrate(queue)
            synchronous = try queue.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
        } catch {
            throw .failed(path: path, reason: StoreFailure.reason(error))
        }
        guard synchronous == 2 else { throw .notDurable(path: path) }
        return queue
    }
}

enum StoreFailure {
    /// Names the result code and SQLite's words for it, never a statement's values.
    static func reason(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(type(of: error))" }
        return "\(error.extendedResultCode): \(error.message ?? "no message")"
    }
}
