import Daemon
import SQLiteStore

// The words for operators. Each switch is whole, so that a new case asks for its words.

extension Configuration {
    /// Hands the database's path to `use`; what is wrong with it is told with the configuration's name, and that of the
    /// setting: the path alone would not say where it was set.
    ///
    /// - Parameter backup: a file that the command was given besides; what is wrong with it is told as that.
    func database<Value>(
        and backup: String? = nil, _ use: (_ path: String) throws(OpeningError) -> Value
    ) throws(Refusal) -> Value {
        guard let path = storePath else {
            throw Refusal(
                "\(origin): storage.url names a PostgreSQL database, and this command is for SQLite files",
                hint: """
                    copy it by pg_dump, or keep its write-ahead log for a point in time; after a restore run `cloakroom \
                    store reopen` before any broker starts: see Docs/Deploy.md
                    """)
        }
        do throws(OpeningError) {
            return try use(path)
        } catch {
            if let backup, error.path == backup { throw Refusal(error.words, hint: error.hintOnBackup) }
            throw Refusal("\(origin): \(error.line)", hint: error.hint)
        }
    }
}

extension OpeningError {
    /// The file that is concerned.
    var path: String {
        switch self {
        case .cannotCreate(let path, _), .notADatabase(let path), .corrupt(let path, _), .anotherProgram(let path),
            .newer(let path), .moved(let path), .inUse(let path), .notDurable(let path), .masterKeyMissing(let path, _),
            .failed(let path, _):
            path
        }
    }

    /// Names the setting that is to blame.
    var line: String {
        if case .masterKeyMissing = self { "masterKeyFile: \(words)" } else { "storage.url: \(words)" }
    }

    /// The error, of a file that any setting or argument may have named.
    var words: String {
        switch self {
        case .cannotCreate(let path, let reason): "\"\(path)\" cannot be created or written: \(reason)"
        case .notADatabase(let path): "\"\(path)\" is not an SQLite database"
        case .corrupt(let path, let finding): "\"\(path)\" is damaged: \(finding)"
        case .anotherProgram(let path): "\"\(path)\" is a database of another program"
        case .newer(let path): "\"\(path)\" was made by a newer version of cloakroom"
        case .moved(let path): "\"\(path)\" was moved to another database, or is being moved"
        case .inUse(let path): "\"\(path)\" is in use by another process of cloakroom"
        case .notDurable(let path): "\"\(path)\" does not keep commits on the disk (synchronous is not FULL)"
        case .masterKeyMissing(let path, let id?): "found no key \"\(id)\", which \"\(path)\" was made with"
        case .masterKeyMissing(let path, nil):
            "found the right key id, but other bytes than \"\(path)\" was made with"
        case .failed(let path, let reason): "\"\(path)\" cannot be opened: \(reason)"
        }
    }

    var hint: String {
        switch self {
        case .inUse: "stop it first, or let it finish"
        case .cannotCreate: "give the broker's user a folder that it may write"
        case .notADatabase, .anotherProgram: "name another file; this one was left as it is"
        case .corrupt: "restore a backup, or move the file away to start anew: connections under way are then lost"
        case .newer: "run that version, or name another file; this one was left as it is"
        case .moved:
            "name that database; `cloakroom store reopen` serves from this file again, and ends what waits in it"
        case .masterKeyMissing: "put the key back into the master key file, or name another database"
        case .notDurable, .failed: "see whether the disk is full or the file is locked by another program"
        }
    }

    /// Of a file that is to become a backup, or to be restored.
    var hintOnBackup: String {
        switch self {
        case .cannotCreate: "name a file in a folder that you may write, with room on its disk"
        case .notADatabase, .anotherProgram: "name a file that `cloakroom backup` made"
        case .corrupt: "name another backup; the database was left as it is"
        case .newer: "restore it by that version; the database was left as it is"
        case .masterKeyMissing: "put the key back into the master key file, or name another backup"
        case .moved: "name a file that `cloakroom backup` made; the database was left as it is"
        case .inUse, .notDurable, .failed: hint
        }
    }
}
