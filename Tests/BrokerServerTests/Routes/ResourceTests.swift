import Broker
import Formats
import TestSupport
import Testing
import Transport

/// Servers that are found (RFC 9728), as a router sees them.
@Suite struct ResourceTests {
    private static let catalog =
        Fixture.catalog + """

              mcp_server:
                displayName: Any MCP server
                category: mcp
                oauth:
                  resourceParameter: url
                  parameters: { url: { pattern: "^https://[!-~]+$" } }
            """

    private static let metadata = """
        {"resource": "https://mcp.example.com/mcp",
         "authorization_servers": ["https://a.example", "https://b.example", "https://c.example", "https://d.example"]}
        """

    /// Answers for the resource; each authorization server hangs until the transport's deadline.
    private static func hanging(_ clock: SteadyClock) -> ScriptedProvider {
        ScriptedProvider { request throws(TransportError) in
            guard request.url.contains("mcp.example.com") else {
                clock.advance(.seconds(15))
                throw .timedOut
            }
            return request.url.contains("well-known")
                ? ProviderResponse(status: 200, body: Array(metadata.utf8)) : ProviderResponse(status: 401)
        }
    }

    @Test func `servers that hang keep nobody waiting for all of them`() async throws {
        let clock = SteadyClock()
        let provider = Self.hanging(clock)
        let fixture = try await Fixture(
            catalog: Self.catalog, provider: provider, servers: ["mcp.example.com"], steadyClock: clock)
        try await fixture.run { client async throws in
            let answer = try await client.post(
                "/v1/tenants/acme/assets:authorize",
                [
                    "sourceType": .string("mcp_server"),
                    "parameters": .object(["url": .string("https://mcp.example.com/mcp")]),
                ], token: try await fixture.token())
            #expect(answer.code == "provider_rejected")
        }
        #expect(provider.requests.map(\.url).filter { !$0.contains("mcp.example.com") }.count == 2)
        #expect(fixture.lines.all.contains("the others were not asked"))
    }
}
