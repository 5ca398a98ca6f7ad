import ArgumentParser
import Daemon

/// The program. Each subcommand is a type of its own; `serve` is the broker.
@main
struct Cloakroom: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "cloakroom",
        abstract: "An OAuth credential broker: sends users to providers, keeps what they grant, hands it out once.",
        version: version,
        subcommands: [
            Serve.self, Demo.self, Check.self, Sources.self, KeysCommand.self, RevokeCommand.self, AuditCommand.self,
            ClientsCommand.self, MasterKeyCommand.self, Doctor.self, Backup.self, Restore.self, StoreCommand.self,
            TokenCommand.self,
        ])

    static func main() async { await Program.run(Self.self) }
}
