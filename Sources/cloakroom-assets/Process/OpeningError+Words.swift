import AssetStore
import Daemon

extension Configuration {
    /// What `use` makes of the database's path; a refusal that names the setting where it cannot be opened.
    func database<Value>(_ use: (_ path: String) throws(OpeningError) -> Value) throws(Refusal) -> Value {
        do {
            return try use(storePath)
        } catch {
            throw Refusal("\(origin): storage.url: \(error.words)", hint: error.hint)
        }
    }
}

// The words for operators. Each switch is whole, so that a new case asks for its words.

extension OpeningError {
    var words: String {
        switch self {
        case .cannotCreate(let path, let reason): "\"\(path)\" cannot be created or written: \(reason)"
        case .notADatabase(let path): "\"\(path)\" is not an SQLite database"
        case .corrupt(let path, let finding): "\"\(path)\" is damaged: \(finding)"
        case .anotherProgram(let path): "\"\(path)\" is a database of another program"
        case .newer(let path): "\"\(path)\" was made by a newer version of cloakroom-assets"
        case .inUse(let path): "\"\(path)\" is in use by another process of cloakroom-assets"
        case .notDurable(let path): "\"\(path)\" does not keep commits on the disk (synchronous is not FULL)"
        case .failed(let path, let reason): "\"\(path)\" cannot be opened: \(reason)"
        }
    }

    var hint: String {
        switch self {
        case .cannotCreate: "name a file in a folder that the service may write, with room on its disk"
        case .notADatabase, .anotherProgram: "set storage.url to a file of its own; one that is not there is made"
        case .corrupt: "restore it from a copy; what can still be read is in the file"
        case .newer: "run that version, or set storage.url to another file"
        case .inUse: "stop the other process; each has a database of its own"
        case .notDurable, .failed: "look at the disk and at the file's permissions"
        }
    }
}
