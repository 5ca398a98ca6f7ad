import ArgumentParser
import AssetStore
import Daemon
import Formats

/// Reads a configuration as `serve` would, and sees whether its database could be opened. It asks nothing of the network.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Report everything that is wrong with a configuration.",
        discussion: "Changes nothing. Exit status 0 where the service would start, else 1.")

    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try ConfigurationReader.configuration(file: options.config)
        // As opening it would, without making or changing it.
        try configuration.database { path throws(OpeningError) in try SQLiteAssetStore.inspect(path: path) }
        for warning in configuration.warnings { Terminal.write("warning: \(warning)".visible) }
        Terminal.result("ok: \(counted(configuration.models.count, "embedding model"))")
    }
}
