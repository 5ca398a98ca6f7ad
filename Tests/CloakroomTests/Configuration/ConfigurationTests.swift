import CurlTransport
import Daemon
import Formats
import Logging
import PostgresStore
import Testing

@testable import Broker
@testable import BrokerServer
@testable import cloakroom

/// Docs/Reference.md#settings: what each setting becomes.
@Suite struct ConfigurationTests {
    private let installation: Installation

    init() throws { installation = try Installation() }

    @Test func `what need not be said has a default`() throws {
        let configuration = try installation.configuration()
        #expect(configuration.address == ListenerAddress(host: "127.0.0.1", port: 8080))
        #expect(configuration.operators == nil)
        #expect(configuration.storePath == installation.path("cloakroom.db"))
        #expect(configuration.masterKeyFile?.file.path == installation.path("master.key"))
        #expect(configuration.broker.stateLifetime == 600)
        #expect(configuration.broker.credentialKeyLifetime == 300)
        #expect(configuration.broker.auditEventLifetime == 90 * 86_400)
        #expect(configuration.rules.tenantClaim == "tenant" && configuration.rules.scopeClaim == "scope")
        #expect(configuration.logLevel == .info && configuration.logFormat == .json)
        #expect(configuration.tracing == nil)
        #expect(configuration.proxies.isEmpty && !configuration.limits.countsAddresses)
        // Both are for trials and tests.
        #expect(!configuration.transport.allowInsecure && !configuration.transport.allowPrivateAddresses)
        #expect(configuration.warnings == [])
    }

    struct Setting {
        let section: String
        let text: String
        let isSet: @Sendable (Configuration) -> Bool

        init(_ section: String, _ text: String, isSet: @escaping @Sendable (Configuration) -> Bool) {
            self.section = section
            self.text = text
            self.isSet = isSet
        }
    }

    private static let settings: [Setting] = [
        Setting("http", #"{ publicURL: "https://b.example/base/", host: "::1", port: 9000 }"#) {
            $0.address.description == "[::1]:9000" && $0.broker.publicURL.text == "https://b.example/base"
        },
        Setting("http", #"{ publicURL: "https://b.example", maxConnections: 7, requestTimeout: 30 }"#) {
            $0.listener.maxConnections == 7 && $0.listener.requestTimeout == .seconds(30)
        },
        Setting("http", #"{ publicURL: "https://b.example", trustedProxies: ["10.0.0.0/8", "::1"] }"#) {
            !$0.proxies.isEmpty
        },
        Setting("admin", "{}") { $0.operators == ListenerAddress(host: "127.0.0.1", port: 8081) },
        Setting("admin", "{ host: 10.0.0.1, port: 9100 }") { $0.operators?.description == "10.0.0.1:9100" },
        Setting("storage", "{ url: \"sqlite:/var/lib/x.db\" }") { $0.storePath == "/var/lib/x.db" },
        Setting("storage", "{ url: \"postgres://u@localhost/d\", requireSynchronousStandby: true }") {
            guard case .postgres(let settings) = $0.store else { return false }
            return settings.requiresSynchronousStandby && settings.passwordFile == nil && $0.storePath == nil
        },
        Setting("storage", "{ url: \"postgres://u@db.example/d?sslmode=require\" }") {
            $0.warnings.contains { $0.contains("sslmode=require") }
        },
        Setting("lifetimes", "{ state: 60, credentialKey: 30, auditEvents: 86400 }") {
            $0.broker.stateLifetime == 60 && $0.broker.credentialKeyLifetime == 30
                && $0.broker.auditEventLifetime == 86_400
        },
        Setting("provider", "{ connectTimeout: 2, timeout: 9, maxResponseBytes: 2048 }") {
            $0.transport.connectTimeout == .seconds(2) && $0.transport.timeout == .seconds(9)
                && $0.transport.maxResponseBytes == 2048
        },
        Setting("provider", "{ allowInsecure: true, allowPrivateAddresses: true }") {
            $0.transport.allowInsecure && $0.transport.allowPrivateAddresses
        },
        Setting("provider", "{ caFile: master.key }") { $0.transport.caFile?.hasSuffix("/master.key") == true },
        Setting("provider", "{ callsPerTenant: 5, callsPerHost: 6 }") {
            $0.shares.perTenant == 5 && $0.shares.perHost == 6
        },
        Setting("limits", "{ authorizePerTenant: 0.5, redeemPerAddress: 3, outstandingFlows: 9 }") {
            $0.limits.authorizePerTenant == 0.5 && $0.limits.redeemPerAddress == 3 && $0.bounds.inAll == 9
        },
        Setting(
            "limits", "{ callbackPerAddress: 1, refreshPerTenant: 2, revokePerTenant: 3, outstandingFlowsPerTenant: 4 }"
        ) {
            $0.limits.callbackPerAddress == 1 && $0.limits.refreshPerTenant == 2 && $0.limits.revokePerTenant == 3
                && $0.bounds.perTenant == 4
        },
        Setting("log", "{ level: debug, format: text }") { $0.logLevel == .debug && $0.logFormat == .text },
        Setting("tracing", #"{ endpoint: "http://127.0.0.1:4318/v1/traces", sampleRatio: 0.25 }"#) {
            $0.tracing?.endpoint == "http://127.0.0.1:4318/v1/traces" && $0.tracing?.sampleRatio == 0.25
        },
        Setting("auth", "{ issuer: i, audience: a, jwksFile: jwks.json, tenantClaim: org, scopeClaim: scp }") {
            $0.rules.issuer == "i" && $0.rules.audience == "a" && $0.rules.tenantClaim == "org"
                && $0.rules.scopeClaim == "scp"
        },
        Setting("auth", #"{ issuer: i, audience: a, jwksURL: "https://i.example/keys" }"#) {
            if case .address("https://i.example/keys") = $0.callerKeys { true } else { false }
        },
    ]

    @Test(arguments: settings.indices)
    func `each setting has its effect`(_ index: Int) throws {
        let setting = Self.settings[index]
        let configuration = try installation.configuration([setting.section: setting.text])
        #expect(setting.isSet(configuration), "\(setting.section): \(setting.text)")
    }

    @Test func `a shared secret is taken without the line's end, and not where it is shorter than 32 bytes`() throws {
        let auth = "{ issuer: i, audience: a, hmacSecretFile: hmac }"
        try installation.write("hmac", String(repeating: "s", count: 31) + "\n\n")
        let findings = try installation.findings(["auth": auth])
        #expect(findings.count == 1 && findings.first?.contains("31 bytes") == true, "\(findings)")
        // Nor does a byte order mark count.
        try installation.write("hmac", "\u{FEFF}" + String(repeating: "s", count: 31) + "\n")
        #expect(try installation.findings(["auth": auth]).first?.contains("31 bytes") == true)
        try installation.write("hmac", String(repeating: "s", count: 32) + "\n")
        #expect(try installation.findings(["auth": auth]) == [])
    }

    /// Two sources of keys must not be an accident; a secret that nobody uses is no danger.
    @Test func `a shared secret beside a JWK set is not used, and that is remarked`() throws {
        try installation.write("hmac", String(repeating: "s", count: 32))
        let configuration = try installation.configuration([
            "auth": "{ issuer: i, audience: a, jwksFile: jwks.json, hmacSecretFile: hmac }"
        ])
        #expect(configuration.remarks.count == 1 && configuration.remarks.first?.contains("hmacSecretFile") == true)
    }

    @Test(
        arguments: [
            ("{ publicURL: \"http://127.0.0.1:8080\" }", nil, ["http.publicURL"]),
            ("{ publicURL: \"https://b.example\" }", "{ redeemPerAddress: 5 }", ["http.trustedProxies"]),
            ("{ publicURL: \"https://b.example\", trustedProxies: [\"10.0.0.1\"] }", "{ redeemPerAddress: 5 }", []),
            ("{ publicURL: \"https://b.example\" }", "{ authorizePerTenant: 5 }", []),
            ("{ publicURL: \"http://b.example\", host: 10.0.0.1 }", "{ callbackPerAddress: 5 }", ["http.publicURL"]),
            (
                "{ publicURL: \"http://b.example\", host: 127.0.0.9 }", "{ callbackPerAddress: 5 }",
                ["http.publicURL", "http.trustedProxies"]
            ),
        ] as [(String, String?, [String])])
    func `what is allowed but dangerous is remarked`(_ http: String, _ limits: String?, _ named: [String]) throws {
        let remarks = try installation.configuration(["http": http, "limits": limits]).remarks
        #expect(remarks.count == named.count, "\(remarks)")
        for (remark, name) in zip(remarks, named) { #expect(remark.contains(name)) }
    }

    @Test func `without a list of its own the broker's origin is the only page`() throws {
        let configuration = try installation.configuration()
        let frontend = try configuration.broker.frontends[#require(TenantID("acme"))]
        #expect(frontend.usual?.description == "https://broker.example.com")
    }

    @Test func `a tenant's own list takes the place of the general one`() throws {
        let configuration = try installation.configuration([
            "frontend": """
            { origins: ["https://app.example.com"], tenants: { acme: { origins: ["https://acme.example.com"] } } }
            """
        ])
        let frontends = configuration.broker.frontends
        #expect(try frontends[#require(TenantID("acme"))].usual?.description == "https://acme.example.com")
        #expect(try frontends[#require(TenantID("other"))].usual?.description == "https://app.example.com")
    }

    @Test func `an address to register is told for each client, and for one that lacks a value yet`() throws {
        let configuration = try installation.configuration([
            "clients": "{ wikis: { clientId: a, clientSecret: s }, wiki_site: { clientId: b, clientSecret: s } }"
        ])
        #expect(
            configuration.registrations.map(\.address) == [
                "https://broker.example.com/oauth/callback/wiki_site",
                "https://broker.example.com/oauth/callback/wikis",
            ])
        #expect(configuration.advice.count == 1 && configuration.advice.first?.contains("wiki_site") == true)
    }

    /// RFC 9700 § 4.4: one address for all servers lets one have another's codes.
    @Test func `a client that keeps the old redirect address is told the one to register`() throws {
        let configuration = try installation.configuration([
            "clients": "{ wikis: { clientId: a, clientSecret: s, legacyRedirect: true } }"
        ])
        #expect(configuration.registrations.map(\.address) == ["https://broker.example.com/oauth/callback"])
        #expect(configuration.advice.count == 1)
        #expect(configuration.advice.first?.contains("https://broker.example.com/oauth/callback/wikis") == true)
    }

    @Test func `a source type's own client comes before its provider's`() throws {
        let configuration = try installation.configuration([
            "clients": "{ wikis: { clientId: a, clientSecret: s }, wiki: { clientId: b, clientSecret: s } }"
        ])
        let wiki = try #require(configuration.catalog.sourceTypes.first { $0.id.description == "wiki" })
        #expect(configuration.client(for: wiki)?.id == "b")
        #expect(configuration.clients.name(for: wiki) == "wiki")
        #expect(["wikis": configuration.clients["wikis"]].compactMapValues(\.self).name(for: wiki) == "wikis")
        #expect([String: Client]().name(for: wiki) == nil)
    }
}
