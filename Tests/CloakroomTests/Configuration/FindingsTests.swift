import Daemon
import Foundation
import Testing

@testable import cloakroom

private let https = #"publicURL: "https://b.example""#
private let issuer = "issuer: i, audience: a"

/// Section, what it says, the setting that is told, and what was found.
private let wrongSettings: [(String, String, String, String)] = [
    ("http", "{}", "http.publicURL", "nothing"),
    ("http", "{ publicURL: \"\" }", "http.publicURL", "\"\""),
    ("http", "{ publicURL: \"ftp://b.example\" }", "http.publicURL", "ftp://b.example"),
    ("http", "{ publicURL: \"https://b.example?x\" }", "http.publicURL", "https://b.example?x"),
    ("http", "{ publicURL: \"https://u@b.example\" }", "http.publicURL", "https://u@b.example"),
    ("http", "{ \(https), port: 0 }", "http.port", "0"),
    ("http", "{ \(https), port: 65536 }", "http.port", "65536"),
    ("http", "{ \(https), port: 80.5 }", "http.port", "80.5"),
    ("http", "{ \(https), port: [80] }", "http.port", "a list"),
    ("http", "{ \(https), maxConnections: 0 }", "http.maxConnections", "0"),
    ("http", "{ \(https), requestTimeout: 301 }", "http.requestTimeout", "301"),
    ("http", "{ \(https), trustedProxies: [\"10.0.0.0/33\"] }", "http.trustedProxies", "10.0.0.0/33"),
    ("http", "{ \(https), host: ~ }", "http.host", "nothing"),
    ("http", "{ \(https), host: { a: b } }", "http.host", "a mapping"),
    ("admin", "{ port: 8080 }", "admin.port", "8080"),
    ("admin", "{ host: \"::\", port: 8080 }", "admin.port", "8080"),
    ("admin", "{ port: none }", "admin.port", "none"),
    ("frontend", "{ origins: [] }", "frontend.origins", "an empty list"),
    ("frontend", "{ origins: [\"https://a.example/\"] }", "frontend.origins", "https://a.example/"),
    ("frontend", "{ origins: [\"https://*.com\"] }", "frontend.origins", "https://*.com"),
    ("frontend", "{ returnURLs: [\"https://a.example/#x\"] }", "frontend.returnURLs", "https://a.example/#x"),
    ("frontend", "{ returnURLs: [\"HTTPS://a.example/\"] }", "frontend.returnURLs", "HTTPS://a.example/"),
    ("frontend", "{ tenants: { \"-\": { origins: [] } } }", "frontend.tenants.-", "-"),
    ("frontend", "{ tenants: { acme: { returnURLs: [] } } }", "frontend.tenants.acme.origins", "nothing"),
    ("auth", "{ audience: a, jwksFile: jwks.json }", "auth.issuer", "nothing"),
    ("auth", "{ issuer: i, jwksFile: jwks.json }", "auth.audience", "nothing"),
    ("auth", "{ \(issuer) }", "auth.jwksFile", "nothing"),
    ("auth", "{ \(issuer), jwksFile: nowhere.json }", "auth.jwksFile", "nowhere.json"),
    ("auth", "{ \(issuer), jwksFile: types.yaml }", "auth.jwksFile", "types.yaml"),
    ("auth", "{ \(issuer), jwksURL: \"http://i.example/keys\" }", "auth.jwksURL", "http://i.example/keys"),
    ("auth", "{ \(issuer), jwksURL: \"https://i.example\", jwksFile: jwks.json }", "auth.jwksURL", "jwksFile"),
    ("auth", "{ \(issuer), hmacSecretFile: nowhere }", "auth.hmacSecretFile", "nowhere"),
    ("auth", "{ \(issuer), jwksFile: jwks.json, tenantClaim: \"\" }", "auth.tenantClaim", "name of a claim"),
    ("auth", "{ \(issuer), jwksFile: jwks.json, scopeClaim: \" \" }", "auth.scopeClaim", "name of a claim"),
    ("storage", "{ url: x.db }", "storage.url", "x.db"),
    ("storage", "{ url: \"sqlite:\" }", "storage.url", "sqlite:"),
    ("storage", "{ url: \"sqlite::memory:\" }", "storage.url", "sqlite::memory:"),
    ("storage", "{ url: \"sqlite:file:x.db\" }", "storage.url", "sqlite:file:x.db"),
    ("masterKeyFile", "nowhere", "masterKeyFile", "nowhere"),
    ("masterKeyFile", "jwks.json", "masterKeyFile", "line 1"),
    ("lifetimes", "{ state: 0 }", "lifetimes.state", "0"),
    ("lifetimes", "{ credentialKey: 86401 }", "lifetimes.credentialKey", "86401"),
    ("lifetimes", "{ auditEvents: 60 }", "lifetimes.auditEvents", "60"),
    ("provider", "{ timeout: 0 }", "provider.timeout", "0"),
    ("provider", "{ connectTimeout: soon }", "provider.connectTimeout", "soon"),
    ("provider", "{ maxResponseBytes: 1023 }", "provider.maxResponseBytes", "1023"),
    ("provider", "{ allowInsecure: perhaps }", "provider.allowInsecure", "perhaps"),
    ("provider", "{ allowPrivateAddresses: 2 }", "provider.allowPrivateAddresses", "2"),
    ("provider", "{ caFile: nowhere.pem }", "provider.caFile", "nowhere.pem"),
    ("provider", "{ callsPerTenant: 65 }", "provider.callsPerTenant", "65"),
    ("provider", "{ callsPerHost: 0 }", "provider.callsPerHost", "0"),
    ("catalogFiles", "nowhere.yaml", "catalogFiles", "nowhere.yaml"),
    ("catalogFiles", "[types.yaml, nowhere.yaml]", "catalogFiles", "nowhere.yaml"),
    ("limits", "{ authorizePerTenant: -1 }", "limits.authorizePerTenant", "-1"),
    ("limits", "{ callbackPerAddress: 1e3 }", "limits.callbackPerAddress", "1e3"),
    ("limits", "{ redeemPerAddress: 0.0001 }", "limits.redeemPerAddress", "0.0001"),
    ("limits", "{ refreshPerTenant: 1000001 }", "limits.refreshPerTenant", "1000001"),
    ("limits", "{ revokePerTenant: 1. }", "limits.revokePerTenant", "1."),
    ("limits", "{ outstandingFlows: -1 }", "limits.outstandingFlows", "-1"),
    ("limits", "{ outstandingFlowsPerTenant: 100001 }", "limits.outstandingFlowsPerTenant", "100001"),
    ("log", "{ level: loud }", "log.level", "loud"),
    ("log", "{ format: xml }", "log.format", "xml"),
    ("tracing", "{ endpoint: \"http://127.0.0.1:4318\" }", "tracing.endpoint", "http://127.0.0.1:4318"),
    ("tracing", "{ sampleRatio: 2 }", "tracing.sampleRatio", "2"),
    ("clients", "{ wikis: { clientSecret: s } }", "clients.wikis.clientId", "nothing"),
    ("clients", "{ wikis: text }", "clients.wikis", "text"),
    ("clients", "{ wikis: { clientId: a, clientSecret: s, keyId: k } }", "clients.wikis.privateKeyFile", "nothing"),
    (
        "clients", "{ wikis: { clientId: a, clientSecret: s, algorithm: ES256 } }", "clients.wikis.privateKeyFile",
        "nothing"
    ),
    ("auth", "{ \(issuer), jwksFile: /etc }", "auth.jwksFile", "it is a directory"),
    ("auth", "{ \(issuer), jwksFile: nowhere }", "auth.jwksFile", "No such file or directory"),
    ("masterKeyFile", "/dev/null", "masterKeyFile", "it is no regular file"),
]

/// Section, what it says, the name that is told, and what may have been meant.
private let unknownNames: [(String, String, String, String?)] = [
    ("htpp", "{}", "htpp", "http"),
    ("http", "{ \(https), ports: 1 }", "http.ports", "port"),
    ("admin", "{ publicURL: x }", "admin.publicURL", nil),
    ("auth", "{ \(issuer), jwksFile: jwks.json, jwksfile: x }", "auth.jwksfile", "jwksFile"),
    ("storage", "{ uri: x }", "storage.uri", "url"),
    ("lifetimes", "{ states: 1 }", "lifetimes.states", "state"),
    ("provider", "{ timeouts: 1 }", "provider.timeouts", "timeout"),
    ("frontend", "{ origin: [] }", "frontend.origin", "origins"),
    ("limits", "{ perTenant: 1 }", "limits.perTenant", nil),
    ("log", "{ levels: info }", "log.levels", "level"),
    ("tracing", "{ endpiont: x }", "tracing.endpiont", "endpoint"),
    ("clients", "{ wikis: { clientID: a, clientId: b, clientSecret: s } }", "clients.wikis.clientID", "clientId"),
    ("clients", "{ wikies: { clientId: b } }", "clients.wikies", "wikis"),
]

/// Docs/Reference.md#settings: a line for each thing that is wrong, which names file, setting, what was found, what is
/// wanted.
@Suite struct FindingsTests {
    private let installation: Installation

    init() throws { installation = try Installation() }

    @Test(arguments: wrongSettings)
    func `a wrong setting is one line that names it`(
        _ section: String, _ text: String, _ setting: String, _ found: String
    ) throws {
        let findings = try installation.findings([section: text])
        let line = try #require(findings.first)
        #expect(findings.count == 1, "\(findings)")
        #expect(line.hasPrefix("cloakroom.yaml: \(setting): "), "\(line)")
        #expect(line.contains(found), "\(line)")
    }

    @Test(arguments: unknownNames)
    func `an unknown name is one line with what may have been meant`(
        _ section: String, _ text: String, _ setting: String, _ guess: String?
    ) throws {
        let findings = try installation.findings([section: text])
        let line = try #require(findings.first)
        #expect(findings.count == 1, "\(findings)")
        #expect(line.hasPrefix("cloakroom.yaml: \(setting): "), "\(line)")
        if let guess { #expect(line.contains("did you mean \"\(guess)\"?"), "\(line)") }
    }

    @Test func `all that is wrong is said at once`() throws {
        let findings = try installation.findings([
            "http": "{ port: 0 }", "auth": "{ audience: a }", "masterKeyFile": nil, "log": "{ level: loud }",
        ])
        let named = findings.map { $0.split(separator: ": ")[1] }
        #expect(
            named == ["http.port", "http.publicURL", "auth.issuer", "auth.jwksFile", "masterKeyFile", "log.level"])
    }

    /// The rest of a database's address may hold a password.
    @Test func `of another store's address the scheme alone is told`() throws {
        let findings = try installation.findings(["storage": "{ url: \"mysql://u:hunter2@db/x\" }"])
        #expect(findings.count == 1 && findings.first?.contains("mysql") == true)
        #expect(findings.first?.contains("hunter2") == false)
    }

    @Test func `an address with a password is refused without it`() throws {
        let findings = try installation.findings(["storage": "{ url: \"postgres://u:hunter2@db/x\" }"])
        #expect(findings.count == 1 && findings.first?.contains("storage.passwordFile") == true, "\(findings)")
        #expect(findings.first?.contains("hunter2") == false)
    }

    @Test(arguments: ["passwordFile: pg.password", "requireSynchronousStandby: true"])
    func `what is PostgreSQL's alone is refused beside a file`(_ setting: String) throws {
        let findings = try installation.findings(["storage": "{ \(setting) }"])
        #expect(findings.count == 1 && findings.first?.contains("storage.") == true, "\(findings)")
    }

    @Test func `a master key file is refused without its keys`() throws {
        try installation.write("master.key", "first:\(Installation.key(1))\nsecond:hunter2\n")
        let findings = try installation.findings()
        #expect(findings.count == 1 && findings.first?.contains("second in line 2") == true, "\(findings)")
        #expect(findings.first?.contains("hunter2") == false)
    }

    @Test(arguments: [
        ("[1, 2]", "wanted a mapping"), ("a: [", "not YAML"), ("text", "wanted a mapping"),
        ("a: 1\na: 2\n", "twice"),
    ])
    func `a file that is no configuration is refused by its name`(_ text: String, _ words: String) throws {
        try installation.write("other.yaml", text)
        let refusal = #expect(throws: Refusal.self) {
            try ConfigurationReader.configuration(file: installation.path("other.yaml"), environment: [:])
        }
        let lines = try #require(refusal).lines
        #expect(lines.first?.hasPrefix(installation.path("other.yaml")) == true)
        #expect(lines.contains { $0.contains(words) }, "\(lines)")
    }

    @Test func `a file that is not there is refused by its name`() throws {
        let refusal = #expect(throws: Refusal.self) {
            try ConfigurationReader.configuration(file: installation.path("nowhere.yaml"), environment: [:])
        }
        #expect(try #require(refusal).lines.first?.hasPrefix(installation.path("nowhere.yaml")) == true)
    }

    /// With a replacement character for each, they would be others, and 11 random bytes more than 32.
    @Test(arguments: ["auth", "masterKeyFile", "catalogFiles", "clients"])
    func `bytes that are no text are refused, not repaired`(_ section: String) throws {
        let bytes = Data([0xFF] + Array("first:".utf8) + [UInt8](repeating: 0x80, count: 40))
        try bytes.write(to: URL(fileURLWithPath: installation.path("binary")))
        let texts = [
            "auth": "{ issuer: i, audience: a, hmacSecretFile: binary }", "masterKeyFile": "binary",
            "catalogFiles": "[types.yaml, binary]", "clients": "{ wikis: { clientId: a, clientSecretFile: binary } }",
        ]
        let findings = try installation.findings([section: texts[section]])
        #expect(findings.count == 1 && findings[0].contains("it is not UTF-8"), "\(findings)")
    }
}
