import ArgumentParser
import Broker
import BrokerServer
import Catalog
import Daemon
import Formats

extension Sources {
    /// Lists what the broker answers at `assets:sourceTypes`, from the same code.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the source types, and which of them a flow could start for.",
            discussion: """
                Without a configuration, the built-in catalog. Standard error tells how many can be connected, and for how \
                many of them a fact is unverified.
                """)

        @Argument(help: "Words of the name, the type or the provider, such as google; all without them.")
        var words: [String] = []

        @Option(name: .long, help: "Only those of this category, such as drive or crm.")
        var category: String?

        @Flag(name: .long, help: "Only those of which a fact is unverified, with these facts in a column.")
        var unverified = false

        @OptionGroup var options: ConfigurationOption

        @Flag(name: .long, help: "Print the items of assets:sourceTypes as JSON.")
        var json = false

        func run() throws {
            let (catalog, configuration) = try Sources.catalog(options.config)
            let chosen = try chosen(in: catalog)
            let ids = Set(chosen.map(\.id.description))
            let list = SourceTypeList(catalog, opening: configuration?.broker.resources ?? ResourceServers()) {
                configuration?.client(for: $0)
            }
            let items = list.items.filter { ids.contains($0.type) }
            if json {
                Terminal.json(items)
            } else {
                Terminal.table(unverified ? Self.table(ofFacts: chosen) : table(items))
                Terminal.write(Self.count(of: chosen))
            }
        }

        /// The source types that the words, the category and the flag leave; a refusal where there is none.
        private func chosen(in catalog: Catalog) throws -> [SourceType] {
            let all = catalog.sourceTypes
            let wanted = words.flatMap { $0.split(separator: " ") }.map { $0.lowercased() }
            let left = all.filter { sourceType in
                (category.map { $0.lowercased() == sourceType.category.lowercased() } ?? true)
                    && (!unverified || sourceType.oauth?.unverified.isEmpty == false)
            }
            // A former name of a product may be told nowhere but where its app is registered.
            for texts in [Self.names, Self.descriptions] {
                let chosen = left.filter { sourceType in
                    let text = texts(sourceType).joined(separator: "\n").lowercased()
                    return wanted.allSatisfy { text.contains($0) }
                }
                if !chosen.isEmpty { return chosen }
            }
            let categories = Set(all.map(\.category))
            if let category, !categories.contains(category.lowercased()) {
                throw Refusal(
                    "there is no category \(category.quoted)\(category.guess(among: Array(categories)))",
                    hint: "there are \(categories.sorted().joined(separator: ", "))")
            }
            throw Refusal(
                words.isEmpty
                    ? "there is none" : "no source type has \(words.joined(separator: " ").quoted) in its name",
                hint: "`cloakroom sources list` has all of them; a provider of your own is an entry in catalogFiles")
        }

        private static func names(_ sourceType: SourceType) -> [String] {
            [sourceType.id.description, sourceType.displayName, sourceType.provider]
        }

        private static func descriptions(_ sourceType: SourceType) -> [String] {
            names(sourceType) + [sourceType.category, sourceType.documentation ?? "", sourceType.registration ?? ""]
        }

        /// The number of those with OAuth, and of those among them that nobody confirmed in full.
        static func count(of sourceTypes: [SourceType]) -> String {
            let profiles = sourceTypes.compactMap(\.oauth)
            let unverified = profiles.filter { !$0.unverified.isEmpty }
            let facts = OAuthProfile.UnverifiedFact.allCases.compactMap { fact -> String? in
                let number = unverified.count { $0.unverified.contains(fact) }
                return number == 0 ? nil : "\(fact.words) \(number)"
            }
            let more = facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))"
            return
                "\(counted(profiles.count, "source type")) with OAuth, \(unverified.count) of them with unverified facts\(more)"
        }

        private static func table(ofFacts sourceTypes: [SourceType]) -> [[String]] {
            [["TYPE", "NAME", "UNVERIFIED"]]
                + sourceTypes.map { sourceType in
                    let facts = sourceType.oauth?.unverified.map(\.words) ?? []
                    return [sourceType.id.description, sourceType.displayName, facts.joined(separator: ", ")]
                }
        }

        private func table(_ items: [SourceTypeList.Item]) -> [[String]] {
            [["TYPE", "NAME", "CATEGORY", "OAUTH", "CONFIGURED", "PARAMETERS"]]
                + items.map { item in
                    [
                        item.type, item.displayName, item.category, item.supportsOAuth ? "yes" : "no",
                        !item.supportsOAuth ? "" : item.configured ? "yes" : "no",
                        item.oauth?.parameters.map(\.name).joined(separator: ", ") ?? "",
                    ]
                }
        }
    }
}
