import Broker
import Catalog
import Foundation
import Sandbox
import StrictYAML
import Testing

/// Every OAuth entry of the built-in catalog, from authorize to revocation, against a provider that is as strict as is
/// known of it. `ProviderRequirements.json` was written from what is known of the providers, not from the catalog.
@Suite struct EveryProviderTests {
    static let requirements: [String: ProviderRequirement] = {
        let url = Bundle.module.url(forResource: "ProviderRequirements", withExtension: "json")
        guard let url, let json = try? Data(contentsOf: url), let requirements = try? ProviderRequirements(json: json)
        else { return [:] }
        return requirements.entries
    }()

    static let (catalog, findings): (Catalog, [String]) = {
        let findings = Findings()
        let catalog = Catalog(allowInsecure: false, findings: findings)
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
        #expect(Self.requirements.count >= 119)
        // Those that are found have no provider of whom something is known.
        let entries = Self.catalog.sourceTypes.filter { $0.oauth.map { $0.resourceParameter == nil } ?? false }
            .map(\.id.description)
        #expect(entries.filter { Self.requirements[$0] == nil } == [])
    }
}
