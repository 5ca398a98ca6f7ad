import ArgumentParser
import Daemon
import Formats
import PostgresStore

/// The store's tables, where brokers share a server.
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Prepare a PostgreSQL database for brokers, move to it, and serve again from a database of the past.",
        subcommands: [Migrate.self, Copy.self, Reopen.self])

    /// Makes the tables as their owner, so that brokers can do with a role that may not.
    struct Migrate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the tables, or bring them up to date.",
            discussion: """
                For a role that owns the tables, given by CLOAKROOM_STORAGE_URL or a configuration of its own. Brokers \
                of the version before go on meanwhile.
                """)

        @OptionGroup var options: ConfigurationOption

        @Option(name: .long, help: "The role of the brokers, which is given what it needs and no more.")
        var grantTo: String?

        func run() throws {
            let configuration = try ConfigurationReader.configuration(file: options.config)
            guard case .postgres(let settings) = configuration.store else {
                throw Refusal(
                    "\(configuration.origin): storage.url names an SQLite file",
                    hint: "brokers bring it up to date by themselves")
            }
            try configuration.postgres(settings) { settings throws(PostgresOpeningError) in
                try PostgresStore.migrate(
                    settings, keyRing: configuration.keyRing, bounds: configuration.bounds, grantingTo: grantTo)
            }
            let granted = grantTo.map { "\($0) may use them" } ?? "no role was given anything (--grant-to ROLE)"
            Terminal.result("the tables of \(settings.address.description) are up to date; \(granted)".visible)
        }
    }
}
