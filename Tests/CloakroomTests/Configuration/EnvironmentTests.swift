import Formats
import Testing

@testable import Broker
@testable import cloakroom

/// Docs/Reference.md#settings: each setting also by environment, which wins.
@Suite struct EnvironmentTests {
    private let installation: Installation

    init() throws { installation = try Installation() }

    @Test(arguments: [
        ("http.publicURL", "CLOAKROOM_HTTP_PUBLIC_URL"), ("masterKeyFile", "CLOAKROOM_MASTER_KEY_FILE"),
        ("auth.jwksURL", "CLOAKROOM_AUTH_JWKS_URL"), ("provider.caFile", "CLOAKROOM_PROVIDER_CA_FILE"),
        ("limits.outstandingFlowsPerTenant", "CLOAKROOM_LIMITS_OUTSTANDING_FLOWS_PER_TENANT"),
    ])
    func `a setting's variable is its name in capitals`(_ name: String, _ variable: String) {
        #expect(SettingName.variable(name) == variable)
        #expect(SettingName.path(of: variable)?.joined(separator: ".") == name)
    }

    @Test func `no two settings have one variable`() {
        #expect(Set(SettingName.variables).count == SettingName.variables.count)
    }

    @Test(
        arguments: [
            ("CLOAKROOM_CLIENTS_GOOGLE_CLIENT_ID", "clients.google.clientId"),
            ("CLOAKROOM_CLIENTS_WIKI_TLS_CERTIFICATE_FILE", "clients.wiki_tls.certificateFile"),
            ("CLOAKROOM_CLIENTS_WIKI_TLS_CERTIFICATE_KEY_FILE", "clients.wiki_tls.certificateKeyFile"),
            ("CLOAKROOM_CLIENTS_X_PRIVATE_KEY_FILE", "clients.x.privateKeyFile"),
            ("CLOAKROOM_CLIENTS_X_CLIENT_SECRET_FILE", "clients.x.clientSecretFile"),
            ("CLOAKROOM_CLIENTS_X_KEY_ID", "clients.x.keyId"),
            ("CLOAKROOM_CLIENTS_WIKI_SITE_PARAMETERS_SITE_NAME", "clients.wiki_site.parameters.site_name"),
            ("CLOAKROOM_FRONTEND_TENANTS_ACME_ORIGINS", "frontend.tenants.ACME.origins"),
            ("CLOAKROOM_FRONTEND_TENANTS_ACME_RETURN_URLS", "frontend.tenants.ACME.returnURLs"),
            ("CLOAKROOM_CLIENTS_CLIENT_ID", nil), ("CLOAKROOM_CLIENTS_X_PARAMETERS_", nil),
            ("CLOAKROOM_FRONTEND_TENANTS_ORIGINS", nil), ("CLOAKROOM_HTTP", nil), ("CLOAKROOM_http_port", nil),
        ] as [(String, String?)])
    func `a variable leads to one place in the file`(_ variable: String, _ place: String?) {
        #expect(SettingName.path(of: variable)?.joined(separator: ".") == place)
    }

    @Test func `the environment wins over the file`() throws {
        let configuration = try installation.configuration(
            ["http": "{ publicURL: \"https://file.example\", port: 1 }"],
            environment: ["CLOAKROOM_HTTP_PUBLIC_URL": "https://env.example"])
        #expect(configuration.broker.publicURL.text == "https://env.example")
        #expect(configuration.address.port == 1)
    }

    @Test func `the environment alone is enough`() throws {
        let configuration = try ConfigurationReader.configuration(
            file: nil,
            environment: [
                "CLOAKROOM_HTTP_PUBLIC_URL": "https://env.example", "CLOAKROOM_AUTH_ISSUER": "i",
                "CLOAKROOM_AUTH_AUDIENCE": "a", "CLOAKROOM_AUTH_JWKS_FILE": installation.path("jwks.json"),
                "CLOAKROOM_MASTER_KEY_FILE": installation.path("master.key"),
                "CLOAKROOM_FRONTEND_ORIGINS": "https://a.example, https://b.example",
                "CLOAKROOM_ADMIN_PORT": "9100", "CLOAKROOM_CLIENTS_DROPBOX_CLIENT_ID": "app",
                "CLOAKROOM_CLIENTS_DROPBOX_CLIENT_SECRET": "s",
            ])
        #expect(configuration.operators?.port == 9100)
        #expect(configuration.clients["dropbox"]?.id == "app")
        let frontend = configuration.broker.frontends[try #require(TenantID("acme"))]
        #expect(try frontend.allows(#require(Origin("https://b.example"))))
    }

    @Test(arguments: [
        ("CLOAKROOM_HTTP_PORT", "eighty", "http.port"), ("CLOAKROOM_LOG_LEVEL", "loud", "log.level"),
        ("CLOAKROOM_FRONTEND_ORIGINS", "https://a.example,b", "frontend.origins"),
    ])
    func `a wrong value is told with its variable`(
        _ variable: String, _ value: String, _ setting: String
    ) throws {
        let findings = try installation.findings(environment: [variable: value])
        #expect(findings.count == 1, "\(findings)")
        #expect(findings.first?.hasPrefix("environment: \(variable): \(setting): ") == true, "\(findings)")
    }

    @Test func `what commands read is no setting`() throws {
        let environment = ["CLOAKROOM_BROKER": "https://b.example", "CLOAKROOM_TOKEN": "t", "HOME": "/"]
        #expect(try installation.findings(environment: environment) == [])
    }

    // MARK: tenants, whose names variables cannot spell

    private static let tenants = """
        { origins: ["https://app.example.com"], tenants: {
          Acme-East.1: { origins: ["https://east.example.com"] }, a-b: { origins: ["https://a.example.com"] },
          a.b: { origins: ["https://b.example.com"] } } }
        """

    @Test func `a variable means the tenant of the file, however that is written`() throws {
        let configuration = try installation.configuration(
            ["frontend": Self.tenants],
            environment: ["CLOAKROOM_FRONTEND_TENANTS_ACME_EAST_1_ORIGINS": "https://new.example.com"])
        let frontend = configuration.broker.frontends[try #require(TenantID("Acme-East.1"))]
        #expect(frontend.usual?.description == "https://new.example.com")
        #expect(configuration.remarks == [])
    }

    /// A tenant that is taken for another one would be let out to everybody's pages.
    @Test func `a variable that could mean two tenants is refused`() throws {
        let findings = try installation.findings(
            ["frontend": Self.tenants],
            environment: ["CLOAKROOM_FRONTEND_TENANTS_A_B_ORIGINS": "https://new.example.com"])
        #expect(findings.count == 1 && findings.first?.contains("a-b, a.b") == true, "\(findings)")
    }

    @Test func `a tenant that the file does not name is taken in small letters, and that is remarked`() throws {
        let configuration = try installation.configuration(
            environment: ["CLOAKROOM_FRONTEND_TENANTS_NEW_ORIGINS": "https://new.example.com"])
        let frontend = configuration.broker.frontends[try #require(TenantID("new"))]
        #expect(frontend.usual?.description == "https://new.example.com")
        #expect(configuration.remarks.count == 1 && configuration.remarks.first?.contains("\"new\"") == true)
    }
}
