import ArgumentParser
import Broker
import Daemon
import Formats
import Foundation
import PostgresStore
import SQLiteStore
import StoreParts

extension StoreCommand {
    /// What waits in a database of the past may have been redeemed since.
    struct Reopen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a database of the past fit to serve: one that was restored, or moved to another.",
            discussion: """
                Ends every flow and destroys every credential key in it, as they may have been redeemed since, and has \
                brokers start on an SQLite file again that was moved. Run it before any broker starts, after \
                PostgreSQL's own tools restored a database. `cloakroom restore` does the same by itself.
                """)

        @OptionGroup var options: ConfigurationOption

        @Option(name: .long, help: "The reason; kept in the audit trail.")
        var reason: String

        @Flag(name: .long, help: "Do not ask for confirmation.")
        var yes = false

        func validate() throws {
            try AuditReason.check(reason)
        }

        func run() async throws {
            let configuration = try ConfigurationReader.configuration(file: options.config)
            let event = Event(
                .revocation, at: .now, by: Requester(subject: "cloakroom store reopen"), detail: reason)
            let count =
                switch configuration.store {
                case .sqlite: try reopenFile(configuration, event)
                case .postgres(let settings):
                    try await reopen(configuration, named: settings.address.description, recording: event)
                }
            Terminal.result("every flow is ended, and \(counted(count, "credential key")) destroyed")
        }

        private func confirm(_ database: String) throws {
            guard !yes else { return }
            try Confirmation.ask(
                """
                This ends every flow and destroys every credential key in \(database.visible).
                What was kept elsewhere since, such as tenants' clients, is not in it.
                """)
        }

        private func reopenFile(_ configuration: Configuration, _ event: Event) throws -> Int {
            let database = try configuration.database { path throws(OpeningError) in
                guard FileManager.default.fileExists(atPath: path) else {
                    throw .failed(path: path, reason: "it is not there")
                }
                return try IdleDatabase(path: path)
            }
            try confirm(database.path)
            return try configuration.database { _ throws(OpeningError) in
                try SQLiteStore.reopen(database, keyRing: configuration.keyRing, recording: event)
            }
        }

        private func reopen(
            _ configuration: Configuration, named name: String, recording event: Event
        ) async throws -> Int {
            try configuration.inspectStore()
            try confirm(name)
            return try await Progress.showing("ending what waits") {
                let store = try await blocking { try configuration.openStore() }
                let outcome = await Self.outcome { () async throws(StoreError) in
                    try await Self.endAll(in: store, event)
                }
                await store.close()
                switch outcome {
                case .success(let count): return count
                case .failure(let error):
                    throw Refusal(
                        "\(configuration.origin): storage.url: \(error.reason.description)",
                        hint: "run it again before a broker starts")
                }
            }
        }

        private static func outcome(
            _ work: () async throws(StoreError) -> Int
        ) async -> Result<Int, StoreError> {
            do throws(StoreError) { return .success(try await work()) } catch { return .failure(error) }
        }

        private static func endAll(in store: any ObservableStore, _ event: Event) async throws(StoreError) -> Int {
            let revocation = try await store.revokeFlows(Selection(), at: event.time, recording: event)
            var (count, position): (Int, CredentialKeyPosition?) = (0, nil)
            repeat {
                let destroyed: [DestroyedCredentialKey]
                (destroyed, position) = try await store.destroyCredentialKeys(
                    Selection(), startedBefore: revocation, after: position, limit: 500, by: event.requester,
                    at: event.time)
                count += destroyed.count
            } while position != nil
            return count
        }
    }
}
