import Secrets
import Testing

@testable import cloakroom

private let tls = "certificateFile: client.crt"

/// The entry, the setting that is told, and words of the line.
private let misfits: [(String, String, String)] = [
    ("wikis: { clientId: a }", "clients.wikis.clientSecretFile", "wiki"),
    ("wikis: { clientId: a, clientSecretFile: empty }", "clients.wikis.clientSecretFile", "empty"),
    ("wikis: { clientId: a, clientSecretFile: nowhere }", "clients.wikis.clientSecretFile", "nowhere"),
    (
        "wikis: { clientId: a, clientSecret: s, clientSecretFile: client.secret }",
        "clients.wikis.clientSecretFile", "clientSecret"
    ),
    ("wiki_key: { clientId: a }", "clients.wiki_key.privateKeyFile", "wiki_key"),
    (
        "wiki_key: { clientId: a, privateKeyFile: client.secret }", "clients.wiki_key.privateKeyFile",
        "client.secret"
    ),
    (
        "wiki_key: { clientId: a, privateKeyFile: client.pem, algorithm: RS256 }", "clients.wiki_key.algorithm",
        "ES256"
    ),
    (
        "wiki_key: { clientId: a, privateKeyFile: client.pem, algorithm: none }", "clients.wiki_key.algorithm",
        "none"
    ),
    ("wiki_tls: { clientId: a }", "clients.wiki_tls.certificateFile", "wiki_tls"),
    ("wiki_tls: { clientId: a, \(tls) }", "clients.wiki_tls.certificateKeyFile", "nothing"),
    ("wiki_tls: { clientId: a, certificateKeyFile: client.pem }", "clients.wiki_tls.certificateFile", "nothing"),
    (
        "wiki_tls: { clientId: a, \(tls), certificateKeyFile: client.secret }",
        "clients.wiki_tls.certificateKeyFile", "client.secret"
    ),
    (
        "wiki_site: { clientId: a, clientSecret: s, parameters: { site: UPPER } }",
        "clients.wiki_site.parameters.site", "UPPER"
    ),
    (
        "wiki_site: { clientId: a, clientSecret: s, parameters: { sites: x } }",
        "clients.wiki_site.parameters.sites", "did you mean \"site\"?"
    ),
    (
        "wikis: { clientId: a, clientSecret: s, parameters: { site: x } }", "clients.wikis.parameters.site",
        "no parameters"
    ),
    (
        "wikis: { clientId: a, clientSecret: s, legacyRedirect: perhaps }", "clients.wikis.legacyRedirect",
        "perhaps"
    ),
]

/// The clients of the configuration, each checked against the source types that will use it.
@Suite struct ClientSettingsTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
        try installation.write("client.pem", Installation.privateKey)
        try installation.write("client.crt", "a certificate")
        try installation.write("client.secret", "s3cret \n")
        try installation.write("empty", "\n")
    }

    @Test(arguments: misfits)
    func `what does not fit its source types is one line`(_ entry: String, _ setting: String, _ words: String) throws {
        let findings = try installation.findings(["clients": "{ \(entry) }"])
        let line = try #require(findings.first)
        #expect(findings.count == 1, "\(findings)")
        #expect(line.hasPrefix("cloakroom.yaml: \(setting): ") && line.contains(words), "\(line)")
    }

    @Test func `a client is read with what its source types need`() throws {
        let clients = try installation.configuration([
            "clients": """
            { wikis: { clientId: a, clientSecretFile: client.secret }, wiki_public: { clientId: b },
              wiki_key: { clientId: c, privateKeyFile: client.pem, keyId: k1 },
              wiki_tls: { clientId: d, \(tls), certificateKeyFile: client.pem },
              wiki_site: { clientId: e, clientSecret: s, parameters: { site: acme } } }
            """
        ]).clients
        // The line's end is not part of it; nothing else of it may be lost but white space.
        #expect(clients["wikis"]?.secret?.expose { $0 } == "s3cret")
        #expect(clients["wiki_public"]?.secret == nil)
        #expect(clients["wiki_key"]?.key?.keyID == "k1")
        #expect(clients["wiki_key"]?.key?.algorithm.rawValue == "ES256")
        #expect(clients["wiki_tls"]?.certificate?.keyFile == installation.path("client.pem"))
        #expect(clients["wiki_site"]?.parameters == ["site": "acme"])
    }

    @Test func `a name is no slip where a catalog file was refused`() throws {
        try installation.write("types.yaml", "sourceTypes: { Wiki: {} }")
        let findings = try installation.findings(["clients": "{ wikis: { clientId: a, clientSecret: s } }"])
        #expect(!findings.isEmpty && findings.allSatisfy { !$0.contains("clients.") }, "\(findings)")
    }

    @Test func `every file with a secret is looked at, the configuration too where one is in it`() throws {
        try installation.write("client.secret", "s", mode: 0o644)
        let configuration = try installation.configuration([
            "clients":
                "{ wiki: { clientId: a, clientSecretFile: client.secret }, wiki_site: { clientId: b, clientSecret: s } }"
        ])
        #expect(
            configuration.secretFiles.map(\.setting) == [
                "masterKeyFile", "clients.wiki.clientSecretFile", "clientSecret",
            ])
        #expect(configuration.warnings.filter { $0.contains("644") }.count == 1, "\(configuration.warnings)")
    }

    @Test func `a secret that the environment gives is in no file`() throws {
        let configuration = try installation.configuration(
            ["clients": "{ wiki: { clientId: a } }"], environment: ["CLOAKROOM_CLIENTS_WIKI_CLIENT_SECRET": "s"])
        #expect(configuration.secretFiles.map(\.setting) == ["masterKeyFile"])
        #expect(configuration.clients["wiki"]?.secret?.expose { $0 } == "s")
    }
}
