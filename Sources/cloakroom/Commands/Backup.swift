import ArgumentParser
import Broker
import Catalog
import Daemon
import Formats
import Foundation
import SQLiteStore
import StoreParts

/// Copies the database by the file, not by the admin API: it works with or without a running broker.
struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the database to a new file, while the broker runs.",
        discussion: """
            The copy has the audit trail and tenants' clients (sealed: keep the master key file apart), and no \
            credential keys: what is handed out once must not come back with a backup.
            """)

    @Argument(help: "The new file.")
    var file: String

    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        let configuration = try ConfigurationReader.configuration(file: options.config)
        guard !FileManager.default.fileExists(atPath: file) else {
            throw Refusal("\(file.quoted) already exists", hint: "name a new file")
        }
        try await Progress.showing("copying") { [file] in
            try configuration.database(and: file) { path throws(OpeningError) in
                try SQLiteStore.inspect(path: path)
                guard FileManager.default.fileExists(atPath: path) else {
                    throw .failed(path: path, reason: "it is not there")
                }
                try SQLiteStore.copy(path: path, to: file)
            }
        }
        Terminal.result("the backup is in \(file)".visible)
    }
}

/// Puts a backup in the database's place, after it has proven that the master keys open it and that its trail is whole.
/// Refuses while a broker has the database open.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace the database by a backup. The broker must not run.")

    @Argument(help: "A file that `cloakroom backup` made.")
    var file: String

    @OptionGroup var options: ConfigurationOption

    @Flag(name: .long, help: "Do not ask for confirmation.")
    var yes = false

    func run() throws {
        let configuration = try ConfigurationReader.configuration(file: options.config)
        guard FileManager.default.fileExists(atPath: file) else {
            throw Refusal("there is no \(file.quoted)")
        }
        let database = try configuration.database { path throws(OpeningError) in try IdleDatabase(path: path) }
        let path = database.path
        try configuration.database(and: file) { _ throws(OpeningError) in
            try SQLiteStore.inspect(path: file)
            // A backup that the master keys do not open would be of no use, and one that was altered of some danger.
            let trail = try SQLiteStore.verifyAuditTrail(path: file, keyRing: configuration.keyRing)
            if case .broken(let sequence, let finding) = trail {
                throw .corrupt(path: file, finding: "its audit trail is broken at event \(sequence): \(finding)")
            }
        }
        if !yes, FileManager.default.fileExists(atPath: path) {
            try Confirmation.ask(
                """
                This replaces the database \(path.visible); the old one stays beside it.
                Events and tenants' clients from after the backup are then missing, and flows under way have to begin anew.
                """)
        }
        let old = try configuration.database(and: file) { _ throws(OpeningError) in
            try SQLiteStore.restore(file, to: database)
        }
        Terminal.result("restored to \(path)".visible)
        if let old { Terminal.write("the old database is in \(old)".visible) }
    }
}
