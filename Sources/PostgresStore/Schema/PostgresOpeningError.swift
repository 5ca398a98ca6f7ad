public import Secrets

/// The reasons why a database was not opened. Its words hold neither values nor a password.
public enum PostgresOpeningError: Error, Equatable, Sendable {
    /// No server answered; `reason` says why.
    case unreachable(reason: String)
    /// A server answered, and let nobody in; `reason` says why.
    case refused(Refusal, reason: String)
    /// The file of the password cannot be read.
    case passwordFile(path: String)
    /// The server is older than 14, whose pipelines and statements are needed; its number as it says it.
    case serverTooOld(version: String)
    /// The database's encoding is not UTF-8 but this.
    case encoding(String)
    /// It has migrations that this program does not know.
    case newer
    /// Its tables are missing or old, and the role may not make them.
    case notMigrated
    /// Its tables are there, and the role may not use them as a broker must; `missing` names what it lacks.
    case notGranted(missing: [String])
    /// The role that was to be given something is not there.
    case noRole(String)
    /// A copy of another store into it is not finished.
    case unfinishedCopy
    /// A broker has it open.
    case inUse
    /// The role does not own its tables.
    case notOwner
    /// A pool gives each transaction another connection.
    case pooled
    /// The master key of its audit trail's key is not in the ring; `id` is its name, where the database tells it.
    case masterKeyMissing(id: KeyRing.KeyID?)
    /// A setting makes commits return before they are on the disk.
    case notDurable(setting: String)
    /// The server refused otherwise.
    case failed(reason: String)

    /// What a server that lets nobody in looks at.
    public enum Refusal: Sendable {
        /// The role, its password, and where it comes from.
        case user
        /// The name of the database, or the role's right to connect to it.
        case database
        /// The connections that it has left, or the role has.
        case connections
        /// Whether it takes writes.
        case readOnly
        /// TLS: it has none, or another than was asked for.
        case encryption
    }

    init(_ failure: PostgresFailure) {
        switch failure {
        case .unreachable(let state, _):
            self =
                failure.refusal(state).map { .refused($0, reason: failure.words) }
                ?? .unreachable(reason: failure.words)
        case .passwordFile(let path): self = .passwordFile(path: path)
        case .lost: self = .unreachable(reason: failure.words)
        case .refused(.missingTable): self = .notMigrated
        case .refused(.noPrivilege), .refused(.noSchema): self = .notGranted(missing: [])
        case .unfinishedCopy: self = .unfinishedCopy
        case .refused, .malformed, .anotherTrail: self = .failed(reason: failure.words)
        }
    }
}

extension PostgresOpeningError {
    /// Of work that throws errors of several kinds.
    init(whichever error: any Error) {
        switch error {
        case let error as PostgresOpeningError: self = error
        case let failure as PostgresFailure: self.init(failure)
        default: self = .failed(reason: StoreFailure.reason(error))
        }
    }
}

extension PostgresFailure {
    /// `nil` where no server said anything of a client.
    fileprivate func refusal(_ state: SQLState?) -> PostgresOpeningError.Refusal? {
        guard let state else {
            // Found by libpq itself, or of its password file: without a code.
            let ofPasswords = ["no password supplied", "authentication", "the password file"]
            if ofPasswords.contains(where: words.contains) { return .user }
            return ["SSL", "certificate"].contains(where: words.contains) ? .encryption : nil
        }
        return switch state.description {
        case "28P01", "28000": .user
        case "3D000", "42501": .database
        case "53300": .connections
        case "25006": .readOnly
        default: nil
        }
    }
}
