import Broker
import CSQLite
import Foundation
import GRDB
import Glibc
public import Secrets
import StoreParts

/// The reasons why a database was not opened. What `inspect` finds, and a missing master key, leave the file as it is;
/// else opening may have brought its tables up to date before it fails.
public enum OpeningError: Error, Equatable, Sendable {
    /// The file cannot be made, read or written; `reason` is the system's.
    case cannotCreate(path: String, reason: String)
    /// It is a file of another kind.
    case notADatabase(path: String)
    /// SQLite finds it damaged; `finding` is its first word of that.
    case corrupt(path: String, finding: String)
    /// Its `application_id` is not ours.
    case anotherProgram(path: String)
    /// It has migrations that this program does not know.
    case newer(path: String)
    /// It was moved to another store, or is being moved: what is outstanding in it is good there.
    case moved(path: String)
    /// Another process has it open, or is replacing it.
    case inUse(path: String)
    /// A commit would return before it is on the disk (`PRAGMA synchronous` did not stay FULL).
    case notDurable(path: String)
    /// The master key of its audit trail's key is not in the ring; `id` is its name, where the file tells it.
    case masterKeyMissing(path: String, id: KeyRing.KeyID?)
    /// SQLite or the system failed otherwise; `reason` holds no value.
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

    /// Throws unless the file is absent, empty, or a sound database of ours that is not newer than this program.
    /// Makes and changes nothing beside it.
    ///
    /// - Parameter takingMoved: takes one that was moved to another store as well.
    static func inspect(_ path: String, _ ring: KeyRing? = nil, takingMoved: Bool = false) throws(OpeningError) {
        csqlite_leave_memory_uncounted()
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
        // The file's own header (SQLite file format § 1.3): opening the database would make files beside it.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: String(cString: strerror(errno))) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = read(descriptor, &header, header.count)
        close(descriptor)
        guard count == header.count, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw .notADatabase(path: path)
        }
        let number = { (offset: Int) in header[offset..<offset + 4].reduce(Int32(0)) { $0 << 8 | Int32($1) } }
        let isMoved = number(68) == Schema.movedID
        guard isMoved || number(68) == Schema.applicationID else { throw .anotherProgram(path: path) }
        guard !isMoved || takingMoved else { throw .moved(path: path) }
        guard number(60) <= Schema.version else { throw .newer(path: path) }
        do {
            // Half of another's upgrade would look damaged.
            try UpgradeLock.holding(path) {
                try readThrough(path, size: Int(status.st_size), ring, takingMoved: takingMoved)
            }
        } catch {
            throw opening(error, path)
        }
    }

    /// Throws where the tables are damaged or newer. Reading a database in place makes files beside it unless they are
    /// there, so one that no process has open is read as a copy.
    private static func readThrough(
        _ path: String, size: Int, _ ring: KeyRing?, takingMoved: Bool
    ) throws(OpeningError) {
        var log = stat()
        let isOpen = stat(path + "-wal", &log) == 0 && log.st_size > 0
        guard isOpen || size <= largestChecked else { return }
        let copies = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: copies) }
        do {
            var readPath = path
            if !isOpen {
                try FileManager.default.createDirectory(
                    at: copies, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                let copy = copies.appending(path: "copy.db")
                try FileManager.default.copyItem(at: URL(fileURLWithPath: path), to: copy)
                readPath = copy.path
            }
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            try DatabaseQueue(path: readPath, configuration: configuration).read { db in
                if try Schema.isSuperseded(db) { throw OpeningError.newer(path: path) }
                // In the log, if whoever set it did not come to the end.
                if try MoveMark.isSet(db), !takingMoved { throw OpeningError.moved(path: path) }
                if let ring, try db.tableExists("audit_trail") { try AuditKey.check(db, ring) }
                guard size <= largestChecked else { return }
                let finding = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "ok"
                guard finding == "ok" else { throw OpeningError.corrupt(path: path, finding: finding) }
            }
        } catch {
            throw opening(error, path)
        }
    }

    static func opening(_ error: any Error, _ path: String) -> OpeningError {
        if let error = error as? OpeningError { return error }
        switch (error as? AuditKeyUnopened)?.error {
        case .unknownKey(let id)?: return .masterKeyMissing(path: path, id: id)
        case .malformed?, .notAuthentic?: return .masterKeyMissing(path: path, id: nil)
        case nil: break
        }
        switch (error as? DatabaseError)?.resultCode {
        case .SQLITE_NOTADB?: return .notADatabase(path: path)
        case .SQLITE_CORRUPT?: return .corrupt(path: path, finding: StoreFailure.reason(error))
        default: return .failed(path: path, reason: StoreFailure.reason(error))
        }
    }

    /// Opens the one writing connection, migrates, and proves that commits are durable. Nothing is migrated for a ring
    /// that does not open the audit trail's key.
    ///
    /// - Parameter takingMoved: takes one that was moved to another store as well.
    static func open(
        _ path: String, _ ring: KeyRing, takingMoved: Bool = false
    ) throws(OpeningError) -> (DatabaseQueue, AuditTrail) {
        do {
            return try UpgradeLock.holding(path) {
                let (queue, hadTrail) = try openUpgraded(path, checkedBy: ring, takingMoved: takingMoved)
                return (queue, try queue.write { try AuditKey.load($0, ring, isNew: !hadTrail) })
            }
        } catch {
            throw opening(error, path)
        }
    }

    /// Leaves the trail's key as it is, whichever master key opens it.
    static func open(_ path: String) throws(OpeningError) -> DatabaseQueue {
        do {
            return try UpgradeLock.holding(path) { try openUpgraded(path, checkedBy: nil).queue }
        } catch {
            throw opening(error, path)
        }
    }

    /// Tells whether there was an audit trail before, besides.
    ///
    /// - Parameter ring: `nil` where the trail's key does not matter.
    private static func openUpgraded(
        _ path: String, checkedBy ring: KeyRing?, takingMoved: Bool = false
    ) throws -> (queue: DatabaseQueue, hadTrail: Bool) {
        var configuration = Configuration()
        configuration.journalMode = .wal
        // Several brokers may share one file: each waits for the other's commit.
        configuration.busyMode = .timeout(5)
        configuration.label = "cloakroom"
        configuration.prepareDatabase { db in
            // Before the journal mode is set, so that it stands in the file itself from the first moment on.
            if try MoveMark.isSet(db) {
                guard takingMoved else { throw OpeningError.moved(path: path) }
            } else if try Int32.fetchOne(db, sql: "PRAGMA application_id") != Schema.applicationID {
                try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
            }
            // What is deleted is overwritten: a sealed row must not outlive its redemption in free pages.
            try db.execute(sql: "PRAGMA secure_delete = ON")
            try db.execute(sql: "PRAGMA cache_size = -8000")
            // In pages: a page that many commits changed is copied back once, not at every fourth megabyte.
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let hadTrail = try queue.writeWithoutTransaction { db in
            if try Schema.isSuperseded(db) { throw OpeningError.newer(path: path) }
            // After GRDB's own setup, which chooses NORMAL: then a commit could be lost with the power.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            guard try db.tableExists("audit_trail") else { return false }
            if let ring { try AuditKey.check(db, ring) }
            return true
        }
        try Schema.migrator.migrate(queue)
        let synchronous = try queue.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
        guard synchronous == 2 else { throw OpeningError.notDurable(path: path) }
        return (queue, hadTrail)
    }

    /// Gives a finished file its name, so that a power cut leaves the old state or the new one.
    static func putInPlace(_ unfinished: String, as path: String) throws(OpeningError) {
        let refuse = { OpeningError.cannotCreate(path: path, reason: String(cString: strerror(errno))) }
        let descriptor = Glibc.open(unfinished, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refuse() }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0, rename(unfinished, path) == 0 else { throw refuse() }
        let folder = Glibc.open(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// A connection that only reads, beside the writer's.
    static func openForReading(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.label = "cloakroom-reader"
        return try DatabaseQueue(path: path, configuration: configuration)
    }
}

enum StoreFailure {
    /// Names the result code and SQLite's words for it, never a statement's values; of a file, what the system says.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as DatabaseError: "\(error.extendedResultCode): \(error.message ?? "no message")"
        case let unopened as AuditKeyUnopened: unopened.error.reason(unopened.keyID).description
        case let breach as Breach: "the audit trail is broken at event \(breach.sequence): \(breach.finding)"
        case is RowDecodingError, is MalformedRow: "a row is not of the form that this program writes"
        case let error as CocoaError: Self.systemsWords(error)
        // None is known; its text may hold anything.
        default: "an unexpected error (\(type(of: error)))"
        }
    }

    /// Of an operation on files: Foundation keeps the system's error below its own.
    private static func systemsWords(_ error: CocoaError) -> String {
        if let error = error.underlying as? POSIXError { return String(cString: strerror(error.code.rawValue)) }
        return switch error.code {
        case .fileNoSuchFile, .fileReadNoSuchFile: "it is not there"
        case .fileReadNoPermission, .fileWriteNoPermission: "permission denied"
        case .fileWriteOutOfSpace: "the disk is full"
        case .fileWriteFileExists: "it is there already"
        default: "the system refused (code \(error.code.rawValue))"
        }
    }
}
