import ArgumentParser
import Broker
import Catalog
import Daemon
import Formats
import Foundation

/// Runs the broker until SIGTERM or SIGINT.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the broker.")

    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        let configuration = try ConfigurationReader.configuration(file: options.config)
        try await BrokerProcess(configuration).run()
    }
}

/// Reads a configuration as `serve` would, and sees whether its database could be opened. Unlike `doctor`, it asks
/// nothing of the network.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Report everything that is wrong with a configuration.",
        discussion: "Changes nothing. Exit status 0 where a broker would start, else 1.")

    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try ConfigurationReader.configuration(file: options.config)
        // As opening it would, without making or changing it.
        try configuration.inspectStore()
        for warning in try configuration.warnings + configuration.storeWarnings() {
            Terminal.write("warning: \(warning)".visible)
        }
        let types = configuration.catalog.entries
        let connectable = types.filter(\.hasOAuth)
        // Servers that are found need no client.
        let ready = connectable.filter { entry in
            (entry.isFound || configuration.clients.keys.contains(where: entry.bears))
                && entry.sourceType.map(configuration.isConfigured) ?? false
        }
        Terminal.result(
            "ok: \(counted(types.count, "source type")), \(ready.count) of \(connectable.count) with OAuth ready to connect"
        )
        let servers = configuration.broker.resources.hosts.map(\.description)
        if !servers.isEmpty {
            let types = ready.filter(\.isFound).map(\.id.description).joined(separator: ", ")
            Terminal.result(
                "servers that \(types) may connect, with nothing to register: \(servers.joined(separator: ", "))")
        }
        let registrations = configuration.registrations
        if registrations.isEmpty, servers.isEmpty || ready.count > ready.count(where: \.isFound) {
            let address = "\(configuration.broker.publicURL.text)/oauth/callback/{name}"
            Terminal.result(
                "redirect address to register at providers: \(address), as `cloakroom sources show TYPE` tells")
        }
        for (address, sourceTypes) in registrations {
            let names = sourceTypes.map(\.description).joined(separator: ", ")
            Terminal.result("redirect address to register: \(address) for \(names)")
        }
    }
}
