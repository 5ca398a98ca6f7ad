import Daemon
import PostgresStore
import StrictYAML

/// The place of the store.
enum StoreLocation {
    /// One file, for the brokers of one machine.
    case sqlite(path: String)
    /// A database that brokers on several machines share.
    case postgres(PostgresSettings)

    /// True where brokers hear of each other through it.
    var isShared: Bool { if case .postgres = self { true } else { false } }
}

/// The store.
extension ConfigurationReader {
    func storage() -> StoreLocation? {
        let storage = section("storage")
        defer { storage.finish() }
        let text = storage.string("url") ?? "sqlite:cloakroom.db"
        let passwordFile = storage.string("passwordFile")
        let requiresStandby = storage.bool("requireSynchronousStandby") ?? false
        guard text.hasPrefix("postgres:") || text.hasPrefix("postgresql:") else {
            for (name, isSet) in [
                ("passwordFile", passwordFile != nil), ("requireSynchronousStandby", requiresStandby),
            ]
            where isSet {
                storage.problem(name, found: "a setting for PostgreSQL beside another store", wanted: "no such setting")
            }
            let wanted = "sqlite:PATH, a file, or postgres://user@host/database"
            return sqlitePath(text, in: storage, wanted: wanted).map { .sqlite(path: $0) }
        }
        if let passwordFile { note(secretFile: passwordFile, of: "passwordFile", in: storage) }
        do throws(PostgresAddress.Fault) {
            let address = try PostgresAddress(text)
            if let warning = address.warning { notes.remarks.append(warning) }
            return .postgres(
                PostgresSettings(
                    address, passwordFile: passwordFile.map { settings.absolute($0) },
                    requiresSynchronousStandby: requiresStandby))
        } catch {
            // Nothing of the address itself: it may hold a password.
            storage.problem("url", found: error.found, wanted: error.wanted)
            return nil
        }
    }
}
