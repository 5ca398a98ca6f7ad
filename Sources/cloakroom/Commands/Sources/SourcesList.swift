import ArgumentParser
import Broker
import BrokerServer
import Daemon

extension Sources {
    /// Lists what the broker answers at `assets:sourceTypes`, from the same code.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the source types, and which of them a flow could start for.",
            discussion: "Without a configuration, the built-in catalog.")

        @OptionGroup var options: ConfigurationOption

        @Flag(name: .long, help: "Print the items of assets:sourceTypes as JSON.")
        var json = false

        func run() throws {
            let (catalog, configuration) = try Sources.catalog(options.config)
            let list = SourceTypeList(catalog, opening: configuration?.broker.resources ?? ResourceServers()) {
                configuration?.client(for: $0)
            }
            if json {
                Terminal.json(list.items)
            } else {
                Terminal.table(table(list))
            }
        }

        private func table(_ list: SourceTypeList) -> [[String]] {
            [["TYPE", "NAME", "CATEGORY", "OAUTH", "CONFIGURED", "PARAMETERS"]]
                + list.items.map { item in
                    [
                        item.type, item.displayName, item.category, item.supportsOAuth ? "yes" : "no",
                        !item.supportsOAuth ? "" : item.configured ? "yes" : "no",
                        item.oauth?.parameters.map(\.name).joined(separator: ", ") ?? "",
                    ]
                }
        }
    }
}
