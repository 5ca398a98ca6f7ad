import ArgumentParser
import Broker
import Daemon
import Formats

/// Outstanding credential keys, by the admin API of a running broker. It lists ids: of the keys themselves the broker
/// has a digest alone.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "List the credential keys that wait to be redeemed.", subcommands: [List.self],
        defaultSubcommand: List.self)

    /// Lists the keys of a selection, or all.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List outstanding credential keys, oldest first.")

        @OptionGroup var admin: AdminOptions
        @OptionGroup var selection: SelectionOptions

        func run() async throws {
            let keys = try await admin.ask { api in try await selection.keys(api) }
            if admin.json { return Terminal.json(keys) }
            let rows = keys.map { key in
                [
                    key.text("id"), key.text("tenant"), key.text("sourceType"), key.time("createdAt"),
                    key.time("expiresAt"),
                ]
            }
            Terminal.table([["ID", "TENANT", "SOURCE TYPE", "CREATED", "EXPIRES"]] + rows)
            Terminal.write(counted(keys.count, "credential key"))
        }
    }
}

/// The credential keys that a command is about. Options are combined by "and"; none means all.
struct SelectionOptions: ParsableArguments {
    @Option(name: .long, help: "Only those of this tenant.")
    var tenant: String?

    @Option(name: .long, help: "Only those of this source type.")
    var sourceType: String?

    // An id may begin with a hyphen.
    @Option(name: .long, parsing: .unconditional, help: "Only the one with this id.")
    var id: String?

    var isEmpty: Bool { tenant == nil && sourceType == nil && id == nil }

    /// The keys that are meant. By id they are looked for here: the API's list has no such filter.
    func keys(_ api: AdminAPI) async throws -> [[String: JSONValue]] {
        let keys = try await api.items("credentialKeys", query: [("tenant", tenant), ("sourceType", sourceType)])
        return id.map { id in keys.filter { $0.text("id") == id } } ?? keys
    }

    /// The selection in a sentence: `of tenant "acme" of source type "wiki"`.
    var words: String {
        let parts = [
            tenant.map { "of tenant \"\($0.visible)\"" }, sourceType.map { "of source type \"\($0.visible)\"" },
            id.map { "with id \"\($0.visible)\"" },
        ]
        return parts.compactMap(\.self).joined(separator: " ")
    }
}
