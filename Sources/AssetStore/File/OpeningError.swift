/// The reasons why a database was not opened. What `inspect` finds, and `inUse`, leave the file as it is.
public enum OpeningError: Error, Equatable, Sendable {
    /// The file or the folder of the uploads cannot be made, read or written; `reason` is the system's.
    case cannotCreate(path: String, reason: String)
    /// It is a file of another kind.
    case notADatabase(path: String)
    /// SQLite finds it damaged; `finding` is its word for that.
    case corrupt(path: String, finding: String)
    /// Its `application_id` is not ours.
    case anotherProgram(path: String)
    /// It has migrations that this program does not know.
    case newer(path: String)
    /// Another process has it open.
    case inUse(path: String)
    /// A commit would return before it is on the disk (`PRAGMA synchronous` did not stay FULL).
    case notDurable(path: String)
    /// SQLite or the system failed otherwise; `reason` holds no value.
    case failed(path: String, reason: String)
}
