import Broker
import Secrets
import Testing

/// Clients that belong to one instance of a product: their secrets go there and nowhere else.
@Suite struct InstanceTests {
    @Test func `a client's secret goes to the host that came with it`() async throws {
        let installation = try Installation()
        let (begun, _) = try await installation.connect("own")
        #expect(begun.url.hasPrefix("https://ours.example/authorize?"))
        #expect(await installation.provider.requests.map(\.url) == ["https://ours.example/token"])
    }

    /// The flow began with the tenant's client and ends with the installation's, whose secret the tenant's host would
    /// get.
    @Test func `a flow that began with another client is not sent this one's secret`() async throws {
        let installation = try Installation()
        try await setTenantsOwn(installation)
        let begun = try await installation.begin("own")
        #expect(begun.url.hasPrefix("https://theirs.example/authorize?"))
        _ = try await installation.broker.deleteClient("own", of: Samples.tenant("acme"), by: .unknown)
        let result = await installation.callback("code=good&state=\(begun.state)")
        #expect(result.error == .invalidState)
        #expect(await installation.provider.requests.isEmpty)
    }

    @Test func `a token to take back is not sent with another client's secret`() async throws {
        let installation = try Installation()
        try await setTenantsOwn(installation)
        _ = try await installation.connect("own")
        _ = try await installation.broker.deleteClient("own", of: Samples.tenant("acme"), by: .unknown)
        let before = await installation.provider.requests.count
        let result = try await installation.broker.revoke(
            AdminRevocation(selection: Selection(tenant: Samples.tenant("acme")), reason: "gone", atProvider: true))
        #expect(result.keys == 1 && result.failures.map(\.code) == ["source_type_not_configured"])
        #expect(await installation.provider.requests.count == before)
    }

    private func setTenantsOwn(_ installation: Installation) async throws {
        _ = try await installation.broker.setClient(
            ClientSetting(
                tenant: try Samples.tenant("acme"), sourceType: "own", clientID: "tenants",
                clientSecret: ClientSecret("tenants-hunter2"), parameters: ["host": "theirs.example"]))
    }
}
