import Broker
import Secrets
import Testing

/// Clients that belong to one instance of a product: their secrets go there and nowhere else.
@Suite struct InstanceTests {
    @Test func `a client's secret goes to the host that came with it`() async throws {
        let house = try Installation()
        let (begun, _) = try await house.connect("own")
        #expect(begun.url.hasPrefix("https://ours.example/authorize?"))
        #expect(await house.provider.requests.map(\.url) == ["https://ours.example/token"])
    }

    /// The flow began with the tenant's client and ends with the installation's, whose secret the tenant's host would
    /// get.
    @Test func `a flow that began with another client is not sent this one's secret`() async throws {
        let house = try Installation()
        try await setTenantsOwn(house)
        let begun = try await house.begin("own")
        #expect(begun.url.hasPrefix("https://theirs.example/authorize?"))
        _ = try await house.broker.deleteClient("own", of: Samples.tenant("acme"), by: .unknown)
        let result = await house.callback("code=good&state=\(begun.state)")
        #expect(result.error == .invalidState)
        #expect(await house.provider.requests.isEmpty)
    }

    @Test func `a token to take back is not sent with another client's secret`() async throws {
        let house = try Installation()
        try await setTenantsOwn(house)
        _ = try await house.connect("own")
        _ = try await house.broker.deleteClient("own", of: Samples.tenant("acme"), by: .unknown)
        let before = await house.provider.requests.count
        let result = try await house.broker.revoke(
            AdminRevocation(selection: Selection(tenant: Samples.tenant("acme")), reason: "gone", atProvider: true))
        #expect(result.keys == 1 && result.failures.map(\.code) == ["source_type_not_configured"])
        #expect(await house.provider.requests.count == before)
    }

    private func setTenantsOwn(_ house: Installation) async throws {
        _ = try await house.broker.setClient(
            ClientSetting(
                tenant: try Samples.tenant("acme"), sourceType: "own", clientID: "tenants",
                clientSecret: ClientSecret("tenants-hunter2"), parameters: ["host": "theirs.example"]))
    }
}
