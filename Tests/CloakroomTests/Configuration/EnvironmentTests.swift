import Daemon
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
        #expect(SettingNames.broker.variable(name) == variable)
        #expect(SettingNames.broker.path(of: variable)?.joined(separator: ".") == name)
    }

    @Test func `no two settings have one variable`() {
        #expect(Set(SettingNames.broker.variables).count == SettingNames.broker.variables.count)
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
        #expect(SettingNames.broker.path(of: variable)?.joined(separator: ".") == place)
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

    /// An asset service may run beside a broker, with one environment for both.
    @Test func `the asset service's variables are no misspelt ones of the broker's`() throws {
        let environment = ["CLOAKROOM_ASSETS_HTTP_PORT": "1", "CLOAKROOM_ASSETS_SERVICE_HOST": "10.0.0.1"]
        #expect(try installation.configuration(environment: environment).remarks == [])
    }

    // MARK: names that are no settings

    /// Docs/Reference.md#settings: one line each, and nothing is refused.
    @Test(
        arguments: [
            ("CLOAKROOM_HTTP_PROT", "CLOAKROOM_HTTP_PORT"), ("CLOAKROOM_PUBLIC_URL", "CLOAKROOM_HTTP_PUBLIC_URL"),
            ("CLOAKROOM_PORT", "CLOAKROOM_HTTP_PORT"), ("CLOAKROOM_NONSENSE", nil), ("CLOAKROOM_", nil),
            ("CLOAKROOM_NAME", nil), ("CLOAKROOM_http_port", "CLOAKROOM_HTTP_PORT"),
            ("CLOAKROOM_CLIENTS_WIKIES_CLIENT_ID", "wikis"), ("CLOAKROOM_CLIENTS_WIKIS_PARAMETERS_SITE", nil),
        ] as [(String, String?)])
    func `an unknown name is remarked and refuses nothing`(_ variable: String, _ guess: String?) throws {
        let configuration = try installation.configuration(
            ["clients": "{ wikis: { clientId: a, clientSecret: s } }"], environment: [variable: "8080"])
        let line = try #require(configuration.remarks.first)
        #expect(configuration.remarks.count == 1 && line.contains("\(variable)"), "\(configuration.remarks)")
        #expect(line.contains("did you mean") == (guess != nil), "\(line)")
        if let guess { #expect(line.contains("did you mean \"\(guess)\"?"), "\(line)") }
    }

    /// Kubernetes, "Accessing the Service: environment variables"; Docker, "Legacy container links".
    private static let orchestrated = [
        "CLOAKROOM_SERVICE_HOST": "10.0.0.1", "CLOAKROOM_SERVICE_PORT": "8080", "CLOAKROOM_SERVICE_PORT_HTTP": "8080",
        "CLOAKROOM_PORT": "tcp://10.0.0.1:8080", "CLOAKROOM_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "CLOAKROOM_PORT_8080_TCP_ADDR": "10.0.0.1", "CLOAKROOM_PORT_8080_TCP_PORT": "8080",
        "CLOAKROOM_PORT_8080_TCP_PROTO": "tcp", "CLOAKROOM_PORT_53_UDP": "udp://10.0.0.1:53",
        "CLOAKROOM_BROKER_SERVICE_HOST": "10.0.0.2", "CLOAKROOM_NAME": "/web/cloakroom", "CLOAKROOM_ENV_PATH": "/bin",
    ]

    @Test func `what orchestrators set is one line for all of it`() throws {
        let configuration = try installation.configuration(environment: Self.orchestrated)
        let line = try #require(configuration.remarks.first)
        #expect(configuration.remarks.count == 1, "\(configuration.remarks)")
        for variable in Self.orchestrated.keys { #expect(line.contains(variable)) }
    }

    /// Services called `cloakroom-http` and `cloakroom-admin` fill the names of two settings.
    @Test(arguments: ["tcp://10.0.0.1:8080", "udp://10.0.0.1:8080", "sctp://10.0.0.1:8080"])
    func `an orchestrator's address in a setting's place leaves the setting alone`(_ value: String) throws {
        let configuration = try installation.configuration(
            ["http": "{ publicURL: \"https://broker.example.com\", port: 9000 }"],
            environment: ["CLOAKROOM_HTTP_PORT": value, "CLOAKROOM_ADMIN_PORT": value])
        #expect(configuration.address.port == 9000 && configuration.operators == nil)
        #expect(
            configuration.remarks.count == 1 && configuration.remarks.first?.contains("CLOAKROOM_ADMIN_PORT") == true)
    }

    @Test func `a setting whose name reads like an orchestrator's works`() throws {
        let configuration = try installation.configuration(
            environment: Self.orchestrated.merging(["CLOAKROOM_HTTP_PORT": "9001"]) { $1 })
        #expect(configuration.address.port == 9001)
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
