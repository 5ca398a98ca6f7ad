import ArgumentParser
import Broker
import Catalog
import Daemon
import Formats
import Foundation
import StrictYAML

extension Sources {
    /// Checks catalog files by themselves, without a configuration: for those who write entries.
    struct Lint: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Report everything that is wrong with your catalog files.",
            discussion: """
                Exit status 0 where a broker would accept them, else 1. Warnings are what a careful reviewer would ask \
                about entries that it accepts, beside the errors of others.
                """)

        @Argument(help: "YAML files with source types.")
        var files: [String]

        @Flag(name: .long, help: "Accept plain http addresses, as provider.allowInsecure would.")
        var allowInsecure = false

        func run() throws {
            let findings = Findings()
            var texts: [(name: String, text: String)] = []
            for file in files {
                do throws(UnreadableFile) {
                    texts.append((file, try ReadFile(file).text()))
                } catch {
                    findings.add(
                        "\(file): found no readable file (\(error.reason)), wanted source types in YAML and UTF-8")
                }
            }
            let catalog = Catalog(own: texts, allowInsecure: allowInsecure, findings: findings)
            let builtIn = Catalog(allowInsecure: allowInsecure, findings: findings)
            // Of the sound entries, though others are refused: all is mended at once.
            for remark in CatalogReview.remarks(on: catalog, beside: builtIn) {
                Terminal.write("warning: \(remark)".visible)
            }
            try findings.refuse()
            Terminal.result("ok: \(counted(catalog.sourceTypes.count, "source type"))")
        }
    }
}
