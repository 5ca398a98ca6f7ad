import ArgumentParser
import Daemon

/// Runs the asset service until SIGTERM or SIGINT.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the asset service.")

    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        let configuration = try ConfigurationReader.configuration(file: options.config)
        try await AssetProcess(configuration).run()
    }
}
