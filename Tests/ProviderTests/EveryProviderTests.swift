import Broker
import Catalog
import Foundation
import Sandbox
import StrictYAML
import Testing

/// Every OAuth entry of the built-in catalog, from authorize to revocation, against a provider that is as strict as is
/// known of it. `Requirements` were written from what is known of the providers, not from the catalog.
@Suite struct EveryProviderTests {
    static let requirements: [String: ProviderRequirement] = {
        files.reduce(into: [:]) { $0.merge($1.entries) { first, _ in first } }
    }()

    /// By category, as the catalog is.
    private static let files: [(name: String, entries: [String: ProviderRequirement])] = {
        let folder = Bundle.module.resourceURL?.appending(path: "Requirements")
        let urls = folder.flatMap {
            try? FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil)
        }
        return (urls ?? []).compactMap { url in
            do {
                return (url.lastPathComponent, try ProviderRequirements(json: Data(contentsOf: url)).entries)
            } catch {
                Issue.record("\(url.lastPathComponent): \(error)")
                return nil
            }
        }
    }()

    static let (catalog, findings): (Catalog, [String]) = {
        let findings = Findings()
        let catalog = Catalog.builtIn(findings: findings)
        return (catalog, findings.lines)
    }()

    @Test(arguments: requirements.keys.sorted())
    func `a person can connect, and the tokens can be used up`(_ entry: String) async throws {
        let requirement = try #require(Self.requirements[entry])
        let performance = Performance(entry: entry, requirement: requirement, catalog: Self.catalog)
        let faults = try await performance.faults()
        let outcome = faults.isEmpty ? "ok" : "\n  - " + faults.joined(separator: "\n  - ")
        print("\(entry): \(performance.summary): \(outcome)")
        #expect(faults == [])
    }

    @Test func `every OAuth entry of the catalog has requirements, and is sound`() {
        #expect(Self.findings == [])
        #expect(Self.requirements.count == Self.files.reduce(0) { $0 + $1.entries.count }, "no entry stands twice")
        // Those that are found have no provider of whom something is known.
        let entries = Self.catalog.sourceTypes.filter { $0.oauth.map { $0.resourceParameter == nil } ?? false }
            .map(\.id.description)
        #expect(entries.filter { Self.requirements[$0] == nil } == [])
    }
}
