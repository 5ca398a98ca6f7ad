import Catalog
import Formats
import StrictYAML
import Testing

@testable import Broker

/// Entries whose authorization server is found (`resourceParameter`).
@Suite struct ResourceEntryTests {
    private static let sound = """
        sourceTypes:
          example:
            displayName: Example
            category: mcp
            oauth:
              resourceParameter: url
              parameters: { url: { pattern: "^https://[!-~]+$" } }
        """

    @Test func `an entry needs no addresses, and has the issuer of an operator's client`() throws {
        let (catalog, findings) = Entry.load([Self.sound])
        #expect(findings == [])
        let profile = try #require(catalog.sourceTypes.first?.oauth)
        #expect(profile.resourceParameter == "url")
        #expect(profile.parameters.map(\.name) == ["issuer", "url"])
        #expect(profile.parameters.filter(\.setByOperator).map(\.name) == ["issuer"])
        #expect(profile.hasRevocation && !profile.needsSecret)
    }

    @Test(arguments: [
        ("tokenURL: https://example.com/token", "both this and resourceParameter"),
        ("issuer: https://example.com", "both this and resourceParameter"),
        ("clientAuthentication: post", "both this and resourceParameter"),
        ("scopes: [a]", "both this and resourceParameter"), ("pkce: none", "S256"), ("pkce: plain", "S256"),
    ])
    func `what the server publishes cannot be set`(_ line: String, _ words: String) {
        let (_, findings) = Entry.load([Self.sound + "\n      \(line)\n"])
        #expect(findings.contains { $0.contains(words) }, "\(findings)")
    }

    @Test(arguments: [
        "{ other: { pattern: \"^a$\" } }", "{ url: { pattern: \"^a$\", required: false } }",
        "{ url: { pattern: \"^a$\", setByOperator: true } }",
        "{ url: { pattern: \"^a$\" }, more: { pattern: \"^a$\" } }", "{ url: { pattern: \"^a$\", default: a } }",
    ])
    func `its one parameter is the address, which callers give`(_ parameters: String) {
        let text = Self.sound.replacing("{ url: { pattern: \"^https://[!-~]+$\" } }", with: parameters)
        #expect(Entry.load([text]).1.contains { $0.contains("resourceParameter") })
    }

    /// RFC 3986 § 2.2: `!` may stand in a path, and `#` begins what no server is sent.
    @Test func `its addresses and its issuer are of one pattern`() throws {
        let profile = try #require(
            SourceType.ID("mcp_server").flatMap { Catalog.builtIn(findings: Findings())[$0] }?.oauth)
        let patterns = profile.parameters.map(\.pattern)
        #expect(profile.parameters.map(\.name) == ["issuer", "url"] && patterns[0].text == patterns[1].text)
        #expect(patterns[0].matches("https://mcp.example.com/!notes/mcp?team=a&b"))
        for text in ["https://mcp.example.com/#mcp", "https://mcp.example.com/\"", "https://mcp.example.com/a b"] {
            #expect(!patterns[0].matches(text), "\(text)")
        }
    }

    @Test func `what was found reads as if the catalog had named it`() throws {
        let profile = try #require(Entry.load([Self.sound]).0.sourceTypes.first?.oauth)
        let found = try #require(
            profile.found(
                .init(
                    issuer: "https://as.example", requiresIssuer: true, resource: "https://mcp.example/mcp",
                    authorization: "https://as.example/authorize", token: "https://as.example/token",
                    revocation: nil, pushedAuthorization: nil, clientAuthentication: .post)))
        #expect(found.issuer == "https://as.example" && found.requireIssuer)
        #expect(found.resources == ["https://mcp.example/mcp"])
        #expect(found.proofKey == .s256 && found.clientAuthentication == .post)
        #expect(found.sourceType == profile.sourceType)
        #expect(found.addresses.own.token?.text == "https://as.example/token")
        #expect(found.extras.known.map(\.name) == ["issuer", "resource"])
    }
}
