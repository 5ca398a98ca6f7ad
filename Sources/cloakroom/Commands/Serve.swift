import ArgumentParser
import Broker
import Foundation

struct ConfigurationOption: ParsableArguments {
    @Option(name: .long, help: "The configuration file. Without one, the environment alone is read.")
    var config: String?
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the broker.")

    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        let configuration = try await ConfigurationReader.configuration(file: options.config)
        try await Service(configuration).run()
    }
}

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say all that is wrong with a configuration.",
        discussion: "Changes nothing. Exit status 0 where a broker would start, else 1.")

    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        let configuration = try await ConfigurationReader.configuration(file: options.config)
        try Service.inspectStore(configuration)
        for remark in configuration.remarks { Terminal.write("remark: \(remark)".visible) }
        let types = configuration.catalog.sourceTypes
        let ready = types.filter { configuration.isConfigured($0) }
        Terminal.result("ok: \(types.count) source types, \(ready.count) ready to connect")
        Terminal.result("redirect address to register at providers: \(configuration.broker.redirectURI)")
    }
}
