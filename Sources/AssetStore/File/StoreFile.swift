import CSQLite
import GRDB
import Glibc

/// The file of a store: made for its owner alone, looked at before it is touched.
enum StoreFile {
    /// Throws unless the file is absent, empty, or a database of ours that is not newer than this program. Makes and
    /// changes nothing.
    static func inspect(_ path: String) throws(OpeningError) {
        csqlite_leave_memory_uncounted()
        var status = stat()
        guard stat(path, &status) == 0 else {
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
            guard access(folder, W_OK | X_OK) == 0 else { throw refusal(path) }
            return
        }
        guard access(path, R_OK | W_OK) == 0 else { throw refusal(path) }
        guard status.st_size > 0 else { return }
        // The file's own header (SQLite file format § 1.3): opening the database would make files beside it.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refusal(path) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = read(descriptor, &header, header.count)
        close(descriptor)
        guard count == header.count, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw .notADatabase(path: path)
        }
        let number = { (offset: Int) in header[offset..<offset + 4].reduce(Int32(0)) { $0 << 8 | Int32($1) } }
        guard number(68) == Schema.applicationID else { throw .anotherProgram(path: path) }
        guard number(60) <= Schema.version else { throw .newer(path: path) }
    }

    /// Makes sure that there is a file of mode 0600. SQLite gives its `-wal` and `-shm` files the same mode.
    static func prepare(_ path: String) throws(OpeningError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw refusal(path) }
        let narrowed = fchmod(descriptor, 0o600)
        close(descriptor)
        guard narrowed == 0 else { throw refusal(path) }
        for suffix in ["-wal", "-shm"] { chmod(path + suffix, 0o600) }
    }

    /// Opens the one writing connection, migrates, and proves that commits are durable.
    static func open(_ path: String) throws(OpeningError) -> DatabaseQueue {
        let synchronous: Int?
        let queue: DatabaseQueue
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                // Its header may be older than its log.
                if try Schema.migrator.hasBeenSuperseded(db) { throw OpeningError.newer(path: path) }
                // After GRDB's own setup, which chooses NORMAL: then a commit could be lost with the power.
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            try Schema.migrator.migrate(queue)
            synchronous = try queue.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
        } catch {
            throw opening(error, path)
        }
        guard synchronous == 2 else { throw .notDurable(path: path) }
        return queue
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.label = "cloakroom-assets"
        configuration.prepareDatabase { db in
            // Chunks are some kilobytes long: of 4 KiB, one alone has room on a page of 8 KiB.
            try db.execute(sql: "PRAGMA page_size = 16384")
            // Before the journal mode is set, so that it stands in the file itself from the first moment on.
            if try Int32.fetchOne(db, sql: "PRAGMA application_id") != Schema.applicationID {
                try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
            }
            // What is deleted is overwritten: credentials and text must not outlive their asset in free pages.
            try db.execute(sql: "PRAGMA secure_delete = ON")
            try db.execute(sql: "PRAGMA cache_size = -16000")
            // A log that a long look kept from being taken back does not stay long for ever.
            try db.execute(sql: "PRAGMA journal_size_limit = 16777216")
        }
        return configuration
    }

    /// A connection that only reads, beside the writer's.
    static func openForReading(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.label = "cloakroom-assets-reader"
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    static func opening(_ error: any Error, _ path: String) -> OpeningError {
        if let error = error as? OpeningError { return error }
        let reason = StoreFailure.reason(error)
        return switch (error as? DatabaseError)?.resultCode {
        case .SQLITE_NOTADB?: .notADatabase(path: path)
        case .SQLITE_CORRUPT?: .corrupt(path: path, finding: reason)
        default: .failed(path: path, reason: reason)
        }
    }

    private static func refusal(_ path: String) -> OpeningError {
        .cannotCreate(path: path, reason: String(cString: strerror(errno)))
    }
}
