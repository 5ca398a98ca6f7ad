import ArgumentParser
import Broker
import BrokerServer
import Foundation

struct Sources: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the source types, and which of them a flow could start for.",
        discussion: "Without a configuration, the built-in catalog.")

    @OptionGroup var options: ConfigurationOption

    @Flag(name: .long, help: "Print the items of assets:sourceTypes as JSON.")
    var json = false

    func run() async throws {
        let list: SourceTypeList
        if options.config != nil {
            let configuration = try await ConfigurationReader.configuration(file: options.config)
            list = SourceTypeList(configuration.catalog) { configuration.client(for: $0) != nil }
        } else {
            let findings = Findings()
            let catalog = Catalog(allowInsecure: false, findings: findings)
            guard findings.lines.isEmpty else { throw Refusal(findings.lines) }
            list = SourceTypeList(catalog) { _ in false }
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(list.items), as: UTF8.self))
        } else {
            print(table(list), terminator: "")
        }
    }

    private func table(_ list: SourceTypeList) -> String {
        let rows =
            [["TYPE", "NAME", "CATEGORY", "OAUTH", "CONFIGURED", "PARAMETERS"]]
            + list.items.map { item in
                [
                    item.type, item.displayName, item.category, item.supportsOAuth ? "yes" : "no",
                    item.configured ? "yes" : "no", item.oauth?.parameters.map(\.name).joined(separator: ", ") ?? "",
                ]
            }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }
}
