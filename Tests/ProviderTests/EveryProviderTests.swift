import Broker
import Catalog
import Foundation
import Sandbox
import Testing

/// Every OAuth entry of the built-in catalog, from authorize to revocation, against a provider that is as strict as is
/// known of it. `Demands.json` was written from what is known of the providers, not from the catalog.
@Suite struct EveryProviderTests {
    static let demands: [String: Demand] = {
        let url = Bundle.module.url(forResource: "Demands", withExtension: "json")
        guard let url, let json = try? Data(contentsOf: url), let demands = try? Demands(json: json) else { return [:] }
        return demands.entries
    }()

    static let (catalog, findings): (Catalog, [String]) = {
        let findings = Findings()
        let catalog = Catalog(allowInsecure: false, findings: findings)
        return (catalog, findings.lines)
    }()

    @Test(arguments: demands.keys.sorted())
    func `a person can connect, and the tokens can be used up`(_ entry: String) async throws {
        let demand = try #require(Self.demands[entry])
        let performance = Performance(entry: entry, demand: demand, catalog: Self.catalog)
        let faults = try await performance.faults()
        let outcome = faults.isEmpty ? "ok" : "\n  - " + faults.joined(separator: "\n  - ")
        print("\(entry): \(performance.summary): \(outcome)")
        #expect(faults == [])
    }

    @Test func `every OAuth entry of the catalog has demands, and is sound`() {
        #expect(Self.findings == [])
        #expect(Self.demands.count >= 119)
        let entries = Self.catalog.sourceTypes.filter { $0.oauth != nil }.map(\.id.description)
        #expect(entries.filter { Self.demands[$0] == nil } == [])
    }
}
