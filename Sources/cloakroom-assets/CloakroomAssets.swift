import ArgumentParser
import Daemon

/// The program. Each subcommand is a type of its own; `serve` is the asset service.
@main
struct CloakroomAssets: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "cloakroom-assets",
        abstract: "An asset service: reads documents from sources, by credentials that it redeems at a broker.",
        version: version,
        subcommands: [Serve.self, Check.self])

    static func main() async { await Program.run(Self.self) }
}
