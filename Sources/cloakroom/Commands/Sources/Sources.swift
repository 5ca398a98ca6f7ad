import ArgumentParser
import Broker
import Catalog
import Daemon
import Formats
import StrictYAML

/// The catalog of source types. Only `try` needs the network and a whole configuration.
struct Sources: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, explain, check and try source types.",
        subcommands: [List.self, Show.self, Lint.self, Try.self], defaultSubcommand: List.self)

    /// The catalog of a configuration, or the built-in one.
    static func catalog(_ file: String?) throws -> (Catalog, Configuration?) {
        if let file {
            let configuration = try ConfigurationReader.configuration(file: file)
            return (configuration.catalog, configuration)
        }
        let findings = Findings()
        let catalog = Catalog(allowInsecure: false, findings: findings)
        try findings.refuse()
        return (catalog, nil)
    }

    /// The source type of that name, or a refusal that guesses which one was meant.
    ///
    /// - Parameter isBuiltIn: no configuration was given, whose files might have it.
    static func sourceType(_ name: String, in catalog: Catalog, isBuiltIn: Bool = false) throws -> SourceType {
        if let id = SourceType.ID(name), let sourceType = catalog[id] { return sourceType }
        let guess = name.guess(among: catalog.entries.map(\.id.description))
        throw Refusal(
            "there is no source type \(name.quoted)\(guess)",
            hint: "`cloakroom sources` lists them" + (isBuiltIn ? "; entries of your own need --config" : ""))
    }
}
