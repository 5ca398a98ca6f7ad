public import Secrets

/// The reasons why a database was not opened. Its words hold neither values nor a password.
public enum PostgresOpeningError: Error, Equatable, Sendable {
    /// No connection was made; `reason` says why.
    case unreachable(reason: String)
    /// The server is older than 14, whose pipelines and statements are needed; its number as it says it.
    case serverTooOld(version: String)
    /// The database's encoding is not UTF-8 but this.
    case encoding(String)
    /// It has migrations that this program does not know.
    case newer
    /// Its tables are missing or old, and the role may not make them.
    case notMigrated
    /// A pool gives each transaction another connection.
    case pooled
    /// The master key of its audit trail's key is not in the ring; `id` is its name, where the database tells it.
    case masterKeyMissing(id: KeyRing.KeyID?)
    /// A setting makes commits return before they are on the disk.
    case notDurable(setting: String)
    /// The server refused otherwise.
    case failed(reason: String)

    init(_ failure: PostgresFailure) {
        switch failure {
        case .unreachable, .lost: self = .unreachable(reason: failure.words)
        case .refused(.missingTable): self = .notMigrated
        case .refused, .malformed: self = .failed(reason: failure.words)
        }
    }
}
