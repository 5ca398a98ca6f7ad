import SQLiteStore

// The words for operators. Each switch is whole, so that a new case asks for its words.

extension Refusal {
    /// - Parameter file: what led to the database, most often the configuration.
    init(_ error: OpeningError, file: String) {
        self.init("\(file): \(error.line)", hint: error.hint)
    }
}

extension Configuration {
    /// Hands the database's path to `use`; what is wrong with it is told with the configuration's name.
    func database<Value>(_ use: (_ path: String) throws(OpeningError) -> Value) throws(Refusal) -> Value {
        do {
            return try use(storePath)
        } catch {
            throw Refusal(error, file: origin)
        }
    }
}

extension OpeningError {
    /// Names the setting that is to blame: the path alone would not say where it was set.
    var line: String {
        switch self {
        case .cannotCreate(let path, let reason): "storage.url: \"\(path)\" cannot be created or written: \(reason)"
        case .notADatabase(let path): "storage.url: \"\(path)\" is not an SQLite database"
        case .corrupt(let path, let finding): "storage.url: \"\(path)\" is damaged: \(finding)"
        case .anotherProgram(let path): "storage.url: \"\(path)\" is a database of another program"
        case .newer(let path): "storage.url: \"\(path)\" was made by a newer version of cloakroom"
        case .notDurable(let path):
            "storage.url: \"\(path)\" does not keep commits on the disk (synchronous is not FULL)"
        case .masterKeyMissing(let path, let id?):
            "masterKeyFile: found no key \"\(id)\", which \"\(path)\" was made with"
        case .masterKeyMissing(let path, nil):
            "masterKeyFile: found the right key id, but other bytes than \"\(path)\" was made with"
        case .failed(let path, let reason): "storage.url: \"\(path)\" cannot be opened: \(reason)"
        }
    }

    var hint: String {
        switch self {
        case .cannotCreate: "give the broker's user a folder that it may write"
        case .notADatabase, .anotherProgram: "name another file; this one was left as it is"
        case .corrupt: "restore a backup, or move the file away to start anew: connections under way are then lost"
        case .newer: "run that version, or name another file; this one was left as it is"
        case .masterKeyMissing: "put the key back into the master key file, or name another database"
        case .notDurable, .failed: "see whether the disk is full or the file is locked by another program"
        }
    }
}
