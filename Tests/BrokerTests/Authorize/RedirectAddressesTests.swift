import Broker
import Catalog
import Formats
import StrictYAML
import Testing

/// RFC 9700 § 4.4: no two authorization servers or clients share a redirect address.
@Suite struct RedirectAddressesTests {
    private static let publicURL = "https://broker.example.com"

    private static func entry(_ name: String, provider: String, _ oauth: String) -> String {
        """
          \(name):
            displayName: \(name)
            category: wiki
            provider: \(provider)
            oauth:
              authorizationURL: https://example.com/authorize
              clientAuthentication: none
        \(oauth.split(separator: "\n").map { "      " + $0 }.joined(separator: "\n"))

        """
    }

    private static func catalog(_ entries: [String]) throws -> Catalog {
        let findings = Findings()
        let catalog = Catalog(
            own: [("test.yaml", "sourceTypes:\n" + entries.joined())], allowInsecure: false, findings: findings)
        try #require(findings.lines == [])
        return catalog
    }

    private static func address(
        of sourceType: String, _ entries: [String], clients: [String], legacy: Bool = false
    ) throws -> String {
        let clients = Dictionary(
            uniqueKeysWithValues: clients.map { ($0, Client(id: $0, secret: nil, usesLegacyRedirect: legacy)) })
        let addresses = RedirectAddresses(publicURL: publicURL, catalog: try catalog(entries), clients: clients)
        let url = addresses.url(of: try #require(SourceType.ID(sourceType)))
        try #require(url.hasPrefix(publicURL + "/oauth/callback"))
        return String(url.dropFirst(publicURL.count + "/oauth/callback".count))
    }

    private static let fixed = "tokenURL: https://example.com/token"

    @Test func `source types of one provider and one token host share the provider's address`() throws {
        let entries = [
            Self.entry("drive", provider: "acme", Self.fixed),
            Self.entry("mail", provider: "acme", "tokenURL: https://example.com/mail/token"),
        ]
        #expect(try Self.address(of: "drive", entries, clients: ["acme"]) == "/acme")
        #expect(try Self.address(of: "mail", entries, clients: ["acme"]) == "/acme")
        // Nothing is configured yet: the address that the suggested setting will have.
        #expect(try Self.address(of: "mail", entries, clients: []) == "/acme")
    }

    @Test func `a client of the source type's own has an address of its own`() throws {
        let entries = [
            Self.entry("drive", provider: "acme", Self.fixed), Self.entry("mail", provider: "acme", Self.fixed),
        ]
        #expect(try Self.address(of: "mail", entries, clients: ["acme", "mail"]) == "/mail")
        #expect(try Self.address(of: "drive", entries, clients: ["acme", "mail"]) == "/acme")
        #expect(try Self.address(of: "drive", entries, clients: ["drive"]) == "/drive")
    }

    @Test(arguments: [
        "tokenURL: https://other.example/token",
        "tokenURL: https://example.com:8443/token",
        """
        tokenURL: "https://{team}.example.com/token"
        parameters: { team: { pattern: "^[a-z]+$" } }
        """,
        """
        tokenURL: "https://{host}/token"
        parameters: { host: { pattern: "^[a-z.]+$", setByOperator: true } }
        """,
        """
        tokenURL: https://example.com/token
        regions: { eu: { tokenURL: "https://eu.example.com/token" } }
        """,
        """
        tokenURL: https://example.com/token
        endpointsFrom: { "2027-02-16": { tokenURL: "https://new.example.com/token" } }
        """,
        """
        tokenURL: https://example.com/token
        tokenOrigin: { callbackParameter: at, pattern: "^https://[a-z]+\\\\.example\\\\.com$" }
        """,
        "issuer: https://example.com\ndiscovery: true",
    ])
    func `where a provider's codes may go to more than one host, each source type has its address`(
        _ other: String
    ) throws {
        let entries = [Self.entry("drive", provider: "acme", Self.fixed), Self.entry("mail", provider: "acme", other)]
        #expect(try Self.address(of: "drive", entries, clients: ["acme"]) == "/drive")
        #expect(try Self.address(of: "mail", entries, clients: ["acme"]) == "/mail")
    }

    @Test(arguments: [
        """
        tokenURL: "https://example.com/{team}/token"
        parameters: { team: { pattern: "^[a-z]+$" } }
        """,
        """
        tokenURL: https://example.com/token
        regions: { eu: { authorizationURL: "https://eu.example.com/authorize" } }
        """,
        "tokenURL: https://example.com/token\nissuer: https://example.com\ndiscovery: true",
    ])
    func `what cannot move the token host divides no provider`(_ other: String) throws {
        let entries = [Self.entry("drive", provider: "acme", Self.fixed), Self.entry("mail", provider: "acme", other)]
        #expect(try Self.address(of: "mail", entries, clients: ["acme"]) == "/acme")
    }

    /// Clients are looked up by either name, so that one may serve both.
    @Test func `a provider that is called as another's source type gives its name to no address`() throws {
        let entries = [
            Self.entry("drive", provider: "mail", Self.fixed),
            Self.entry("mail", provider: "other", "tokenURL: https://other.example/token"),
        ]
        #expect(try Self.address(of: "drive", entries, clients: ["mail"]) == "/drive")
        #expect(try Self.address(of: "mail", entries, clients: ["mail"]) == "/mail")
    }

    @Test func `a legacy client keeps the bare address, and it alone`() throws {
        let entries = [Self.entry("drive", provider: "acme", Self.fixed)]
        #expect(try Self.address(of: "drive", entries, clients: ["acme"], legacy: true) == "")
    }

    @Test func `a tenant's own client has a handle that only its tenant and source type make`() throws {
        let entries = [
            Self.entry("drive", provider: "acme", Self.fixed), Self.entry("mail", provider: "acme", Self.fixed),
        ]
        var paths: Set<String> = []
        for clients in [[:], ["acme": Client(id: "a", secret: nil, usesLegacyRedirect: true)]] {
            let addresses = RedirectAddresses(
                publicURL: Self.publicURL, catalog: try Self.catalog(entries), clients: clients)
            for tenant in ["one", "two", "One"] {
                for sourceType in ["drive", "mail"] {
                    let path = addresses.path(
                        of: try #require(SourceType.ID(sourceType)), ownedBy: try #require(TenantID(tenant)))
                    let parts = path.description.split(separator: "/")
                    #expect(parts.first.map(String.init) == sourceType)
                    #expect(FlowID(parts.last ?? "") != nil, "22 characters of base64url")
                    paths.insert(path.description)
                }
            }
        }
        #expect(paths.count == 6)
        // What is registered at providers must last: this one was on 2026-11-29.
        #expect(paths.contains("drive/\(Self.known)"))
    }

    /// base64url of the first 16 bytes of SHA-256("cloakroom redirect address␀tenant␀one␀drive").
    private static let known = "l2pdQ6ZFwXN727pub_QJFA"

    @Test func `the catalog's providers of one host share an address, the others' source types do not`() throws {
        let findings = Findings()
        let catalog = Catalog(allowInsecure: false, findings: findings)
        let addresses = RedirectAddresses(publicURL: "", catalog: catalog, clients: [:])
        for (sourceType, name) in [
            ("google_drive", "google"), ("gmail", "google"), ("onedrive", "microsoft"), ("slack", "slack"),
            ("gitlab_self_managed", "gitlab_self_managed"), ("zendesk", "zendesk"),
        ] {
            guard let id = SourceType.ID(sourceType), catalog[id] != nil else { continue }
            #expect(addresses.url(of: id) == "/oauth/callback/\(name)")
        }
        for one in catalog.sourceTypes {
            for other in catalog.sourceTypes where one.id < other.id && one.oauth != nil && other.oauth != nil {
                guard addresses.path(of: one.id) == addresses.path(of: other.id) else { continue }
                #expect(one.provider == other.provider)
            }
        }
    }

    @Test func `what is longer than any path of ours is no path of ours`() {
        let long = String(repeating: "a", count: 88)
        #expect(RedirectPath(received: long) == RedirectPath(received: long + "b"))
        #expect(RedirectPath(received: String(long.dropLast())).description.count == 87)
        #expect(RedirectPath(received: "") == .legacy)
    }
}
