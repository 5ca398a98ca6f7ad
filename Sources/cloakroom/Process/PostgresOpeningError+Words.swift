import Daemon
import PostgresStore

// The words for operators. Each switch is whole, so that a new case asks for its words.

extension Configuration {
    /// Hands a PostgreSQL database to `use`; what is wrong with it is told with the configuration's name and the setting.
    func postgres<Value>(
        _ settings: PostgresSettings, _ use: (PostgresSettings) throws(PostgresOpeningError) -> Value
    ) throws(Refusal) -> Value {
        do {
            return try use(settings)
        } catch {
            throw Refusal("\(origin): \(error.line(of: settings.address))", hint: error.hint)
        }
    }
}

extension PostgresOpeningError {
    /// Names the setting that is to blame.
    func line(of address: PostgresAddress) -> String {
        let setting =
            switch self {
            case .masterKeyMissing: "masterKeyFile"
            case .passwordFile: "storage.passwordFile"
            default: "storage.url"
            }
        return "\(setting): \(words(of: address))"
    }

    /// The error, of a database.
    func words(of address: PostgresAddress) -> String {
        let name = "the database \(address.description)"
        return switch self {
        case .unreachable(let reason): "\(name) cannot be reached: \(reason)"
        case .refused(_, let reason): "\(name) cannot be opened: \(reason)"
        case .passwordFile(let path): "\"\(path)\" cannot be read"
        case .serverTooOld(let version): "\(name) is on PostgreSQL \(version); 14 or newer is needed"
        case .encoding(let encoding): "\(name) has the encoding \(encoding); UTF8 is needed"
        case .newer: "\(name) was made by a newer version of cloakroom"
        case .notMigrated: "\(name) has not the tables of this version, and the role may not make them"
        case .notGranted(let missing) where missing.isEmpty: "the role may not use the tables of \(name)"
        case .notGranted(let missing): "the role lacks \(missing.joined(separator: "; ")) in \(name)"
        case .noRole(let role): "there is no role \"\(role)\" at the server of \(name)"
        case .unfinishedCopy: "the copy of another database into \(name) is not finished"
        case .inUse: "\(name) is in use by a broker"
        case .notOwner: "\(name) has tables that the role does not own"
        case .pooled: "\(name) is behind a pool that gives each transaction another connection"
        case .masterKeyMissing(let id?): "found no key \"\(id)\", which \(name) was made with"
        case .masterKeyMissing(nil): "found the right key id, but other bytes than \(name) was made with"
        case .notDurable(let setting): "\(name) does not keep commits on the disk (\(setting) is off)"
        case .failed(let reason): "\(name) cannot be used: \(reason)"
        }
    }

    var hint: String {
        switch self {
        case .unreachable: "see whether the server runs and listens at that address"
        case .refused(.user, _):
            "see storage.passwordFile, whether the role exists, and what pg_hba.conf says of this user and host"
        case .refused(.database, _):
            "make the database (CREATE DATABASE), let the role connect to it (GRANT CONNECT), or name another"
        case .refused(.connections, _):
            "raise max_connections or the role's limit, or run fewer brokers: each takes three"
        case .refused(.readOnly, _): "name the primary too: postgres://…@first,second/…"
        case .refused(.encryption, _):
            "see sslmode and sslrootcert in storage.url; without TLS, sslmode=disable is for a local server alone"
        case .passwordFile: "make the file, with the password as its first line, and let the broker's user read it"
        case .serverTooOld, .encoding: "name another server or database"
        case .newer: "run that version, or name another database; this one was left as it is"
        case .notMigrated: "run `cloakroom store migrate` as the tables' owner first"
        case .notGranted: "run `cloakroom store migrate --grant-to ROLE` as the tables' owner"
        case .noRole: "make it (CREATE ROLE … LOGIN), or give the name that brokers connect by"
        case .unfinishedCopy: "run `cloakroom store copy` again: it goes on where it stopped"
        case .inUse: "stop all brokers first"
        case .notOwner: "name their owner by CLOAKROOM_STORAGE_URL, as for `cloakroom store migrate`"
        case .pooled: "connect directly, or have PgBouncer pool sessions (pool_mode = session)"
        case .masterKeyMissing: "put the key back into the master key file, or name another database"
        case .notDurable: "turn it on: an answer is given only for what a crash cannot undo"
        case .failed: "see the server's log"
        }
    }
}
