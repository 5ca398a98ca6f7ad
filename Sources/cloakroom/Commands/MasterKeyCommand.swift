import ArgumentParser
import Broker
import Catalog
import Daemon
import Formats
import Foundation
import PostgresStore
import SQLiteStore
import Secrets

/// The master key file. All but `new` find it by the configuration. Only `new` prints a key; the others print ids.
struct MasterKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "master-key", abstract: "Create, list, rotate and retire master keys.",
        subcommands: [New.self, List.self, Rotate.self, Retire.self])

    func run() throws {
        throw ValidationError("say what to do: cloakroom master-key new, list, rotate or retire")
    }

    /// Prints a new key, and reads and writes no file.
    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a line for the master key file, with a new key.",
            discussion: "For example: (umask 077; cloakroom master-key new > master.key)")

        @OptionGroup var name: NameOption

        func run() throws {
            Terminal.result(KeyRing.newLine(id: try name.made()))
        }
    }

    /// The id of a new key.
    struct NameOption: ParsableArguments {
        @Option(
            name: .long, help: "The key's id: letters, digits, . _ -; by default the date and four random characters.")
        var id: String?

        /// The id that was given, or a new one; a date tells people which key is old enough to retire.
        func made() throws -> KeyRing.KeyID {
            let text = id ?? "\(Self.today())-\(Base64URL.encode(Random.bytes(3)).replacing("_", with: "x"))"
            guard let id = KeyRing.KeyID(text) else {
                throw ValidationError("the id must be 1 to 32 letters, digits, '.', '_' or '-'")
            }
            return id
        }

        private static func today() -> String {
            let now = UTCTime(seconds: Timestamp.now.milliseconds / 1000)
            return String(now.year * 10_000 + now.month * 100 + now.day)
        }
    }

    /// Lists the keys in the file's order, the one that seals first, with what the database still holds under each.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the master keys, and what still needs each.")

        @OptionGroup var options: ConfigurationOption

        @Flag(name: .long, help: "Print JSON, for programs.")
        var json = false

        func run() throws {
            let (file, uses) = try MasterKeyCommand.read(options)
            let rows = try file.read().ring.ids.enumerated().map { index, id in
                (id: id, seals: index == 0, uses: uses[id.description] ?? MasterKeyUses())
            }
            if json {
                let items = rows.map { row in
                    JSONValue.object([
                        "id": .string(row.id.description), "seals": .bool(row.seals),
                        "flows": .number(Double(row.uses.flows)),
                        "credentialKeys": .number(Double(row.uses.credentialKeys)),
                        "clients": .number(Double(row.uses.clients)), "auditTrail": .bool(row.uses.auditTrail),
                    ])
                }
                return Terminal.json(items)
            }
            Terminal.table(
                [["ID", "SEALS", "FLOWS", "CREDENTIAL KEYS", "CLIENTS", "AUDIT TRAIL"]]
                    + rows.map { row in
                        [
                            row.id.description, row.seals ? "yes" : "no", String(row.uses.flows),
                            String(row.uses.credentialKeys), String(row.uses.clients),
                            row.uses.auditTrail ? "yes" : "no",
                        ]
                    })
        }
    }

    /// Adds a key in two steps, since several brokers may share the file: each must be able to open before any seals.
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a new key that seals from now on, while brokers run.",
            discussion: """
                The key is put last first, so that every broker on this file can open what it seals; some seconds later \
                it becomes the first. Brokers read the file by themselves, and move what lasts under the new key.
                """)

        @OptionGroup var options: ConfigurationOption
        @OptionGroup var name: NameOption

        func run() async throws {
            let (file, _) = try MasterKeyCommand.read(options)
            let id = try name.made()
            let line = KeyRing.newLine(id: id)
            try await file.change { lines, ring in
                guard !ring.ids.contains(id) else { throw Refusal("the file has a key \"\(id)\" already") }
                lines.append(line)
            }
            // Twice the time that a broker takes to look at it again, and to read it, which waits for nothing else.
            try await Progress.showing("brokers are reading the new key") {
                try await Task.sleep(for: KeyWatcher.interval * 2 + .seconds(1))
            }
            let former = try await file.change { lines, ring in
                // Whoever else changed the file meanwhile keeps what they did.
                guard let index = lines.firstIndex(of: line) else {
                    throw Refusal("the key \"\(id)\" was taken out of the file before it could seal")
                }
                lines.remove(at: index)
                lines.insert(line, at: 0)
                return ring.primary
            }
            Terminal.result("the key \"\(id)\" seals from now on")
            Terminal.write(
                "hint: once nothing needs it (cloakroom master-key list), cloakroom master-key retire \(former)")
        }
    }

    /// Removes a key. Refuses the one that seals, and one that the database still needs.
    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a key that nothing needs any more.")

        @OptionGroup var options: ConfigurationOption

        @Argument(help: "The key's id.")
        var id: String

        func run() async throws {
            let (file, configuration) = try MasterKeyCommand.file(options)
            let key = try await file.change { [id] lines, ring in
                guard let key = KeyRing.KeyID(id), ring.ids.contains(key) else {
                    throw Refusal(
                        "the file has no key \(id.quoted)", hint: "`cloakroom master-key list` shows them")
                }
                guard key != ring.primary else {
                    throw Refusal(
                        "the key \"\(key)\" is the one that seals", hint: "`cloakroom master-key rotate` adds another")
                }
                // Only now: what another command put first may have changed what is needed.
                if let needed = try MasterKeyCommand.uses(configuration)[id]?.words {
                    throw Refusal(
                        "the key \"\(key)\" is still needed for \(needed)",
                        hint: "flows and credential keys expire by themselves; a running broker moves the rest")
                }
                lines.removeAll { MasterKeyFile.id(in: $0) == id }
                return key
            }
            Terminal.result("the key \"\(key)\" is retired")
        }
    }

    /// The file of a configuration, and what its database needs of each key, by id.
    private static func read(_ options: ConfigurationOption) throws -> (MasterKeyFile, [String: MasterKeyUses]) {
        let (file, configuration) = try file(options)
        return (file, try uses(configuration))
    }

    private static func file(_ options: ConfigurationOption) throws -> (MasterKeyFile, Configuration) {
        let configuration = try ConfigurationReader.configuration(file: options.config)
        guard let keys = configuration.masterKeyFile else { throw Refusal("the configuration has no master key file") }
        return (keys.file, configuration)
    }

    private static func uses(_ configuration: Configuration) throws -> [String: MasterKeyUses] {
        if case .postgres(let settings) = configuration.store {
            return try configuration.postgres(settings) { settings throws(PostgresOpeningError) in
                try PostgresStore.masterKeyUses(settings, at: .now)
            }
        }
        guard let path = configuration.storePath, FileManager.default.fileExists(atPath: path) else { return [:] }
        return try configuration.database { path throws(OpeningError) in
            try SQLiteStore.inspect(path: path)
            return try SQLiteStore.masterKeyUses(path: path, at: .now)
        }
    }
}

extension MasterKeyUses {
    /// The uses in words, for a sentence; `nil` where there are none.
    var words: String? {
        var parts: [String] = []
        if flows > 0 { parts.append(counted(flows, "flow")) }
        if credentialKeys > 0 { parts.append(counted(credentialKeys, "credential key")) }
        if clients > 0 { parts.append("\(counted(clients, "client")) of tenants or of the broker's own") }
        if auditTrail { parts.append("the audit trail") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
