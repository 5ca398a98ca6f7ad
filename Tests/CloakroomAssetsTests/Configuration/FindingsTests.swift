import Daemon
import Testing

@testable import cloakroom_assets

private let model = "provider: p, model: m"
private let sized = "dimensions: 3, pricePerMillionTokens: 0"
private let embedder = #"url: "https://e.example/v1""#

/// Section, what it says, the setting that is told, and what was found.
private let wrongSettings: [(String, String, String, String)] = [
    ("http", "{ port: 0 }", "http.port", "0"),
    ("frontend", "{ origins: [\"https://a.example/\"] }", "frontend.origins", "https://a.example/"),
    ("auth", "{ issuer: i, audience: a }", "auth.jwksFile", "nothing"),
    ("auth", "{ issuer: i, audience: a, jwksURL: \"http://i.example\" }", "auth.jwksURL", "http://i.example"),
    ("storage", "{ url: x.db }", "storage.url", "x.db"),
    ("masterKeyFile", "nowhere", "masterKeyFile", "nowhere"),
    ("broker", Installation.broker(["url": nil]), "broker.url", "nothing"),
    ("broker", Installation.broker(["url": "\"ftp://b\""]), "broker.url", "ftp://b"),
    ("broker", Installation.broker(["url": "\"http://b.example\""]), "broker.url", "http://b.example"),
    ("broker", Installation.broker(["url": "\"https://b.example?x\""]), "broker.url", "https://b.example?x"),
    ("broker", Installation.broker(["issuer": nil]), "broker.issuer", "nothing"),
    ("broker", Installation.broker(["audience": nil]), "broker.audience", "nothing"),
    ("broker", Installation.broker(["signingKeyFile": nil]), "broker.signingKeyFile", "nothing"),
    ("broker", Installation.broker(["signingKeyFile": "nowhere"]), "broker.signingKeyFile", "nowhere"),
    ("broker", Installation.broker(["signingKeyFile": "token"]), "broker.signingKeyFile", "no private key"),
    ("broker", Installation.broker(["signingKeyFile": "jwks.json"]), "broker.signingKeyFile", "no private key"),
    ("broker", Installation.broker(["tokenFile": "token"]), "broker.tokenFile", "both this and signingKeyFile"),
    (
        "broker", Installation.broker(["signingKeyFile": nil, "tokenFile": "nowhere", "issuer": nil, "audience": nil]),
        "broker.tokenFile", "nowhere"
    ),
    (
        "broker",
        Installation.broker(["signingKeyFile": nil, "tokenFile": "service.pem", "issuer": nil, "audience": nil]),
        "broker.tokenFile", "more than a token"
    ),
    ("broker", Installation.broker(["timeout": "0"]), "broker.timeout", "0"),
    ("broker", Installation.broker(["timeout": "301"]), "broker.timeout", "301"),
    ("sources", "{ connectTimeout: soon }", "sources.connectTimeout", "soon"),
    ("sources", "{ timeout: 0 }", "sources.timeout", "0"),
    ("sources", "{ allowInsecure: perhaps }", "sources.allowInsecure", "perhaps"),
    ("sources", "{ allowPrivateAddresses: 2 }", "sources.allowPrivateAddresses", "2"),
    ("sources", "{ maxDocumentBytes: 0 }", "sources.maxDocumentBytes", "0"),
    ("sources", "{ maxDocuments: -1 }", "sources.maxDocuments", "-1"),
    ("sources", "{ retry: { attempts: 0 } }", "sources.retry.attempts", "0"),
    ("sources", "{ retry: { base: -1 } }", "sources.retry.base", "-1"),
    ("sources", "{ retry: { base: 3, max: 2 } }", "sources.retry.base", "more than retry.max"),
    ("sources", "{ retry: [1] }", "sources.retry", "a list"),
    ("sources", "{ addresses: { notion: \"http://n.example\" } }", "sources.addresses.notion", "http://n.example"),
    ("sources", "{ addresses: { github: nowhere } }", "sources.addresses.github", "nowhere"),
    ("embedding", "{ models: { a: b } }", "embedding.models", "a mapping"),
    ("embedding", "{ models: [text] }", "embedding.models[0]", "text"),
    ("embedding", "{ models: [{ model: m, \(embedder), \(sized) }] }", "embedding.models[0].provider", "nothing"),
    ("embedding", "{ models: [{ provider: p, \(embedder), \(sized) }] }", "embedding.models[0].model", "nothing"),
    ("embedding", "{ models: [{ \(model), \(sized) }] }", "embedding.models[0].url", "nothing"),
    (
        "embedding", "{ models: [{ \(model), url: \"http://e.example\", \(sized) }] }", "embedding.models[0].url",
        "http://e.example"
    ),
    (
        "embedding", "{ models: [{ \(model), \(embedder), pricePerMillionTokens: 1 }] }",
        "embedding.models[0].dimensions", "nothing"
    ),
    (
        "embedding", "{ models: [{ \(model), \(embedder), dimensions: 0, pricePerMillionTokens: 1 }] }",
        "embedding.models[0].dimensions", "0"
    ),
    (
        "embedding", "{ models: [{ \(model), \(embedder), dimensions: 1 }] }",
        "embedding.models[0].pricePerMillionTokens", "nothing"
    ),
    (
        "embedding", "{ models: [{ \(model), \(embedder), dimensions: 1, pricePerMillionTokens: free }] }",
        "embedding.models[0].pricePerMillionTokens", "free"
    ),
    (
        "embedding", "{ models: [{ \(model), \(embedder), \(sized), apiKeyFile: nowhere }] }",
        "embedding.models[0].apiKeyFile", "nowhere"
    ),
    (
        "embedding", "{ models: [{ \(model), \(embedder), \(sized), apiKeyFile: service.pem }] }",
        "embedding.models[0].apiKeyFile", "more than a key"
    ),
    (
        "embedding", "{ models: [{ \(model), \(embedder), \(sized) }, { \(model), \(embedder), \(sized) }] }",
        "embedding.models[1].model", "the model a second time"
    ),
    ("chunking", "{ size: 15 }", "chunking.size", "15"),
    ("chunking", "{ size: 8193 }", "chunking.size", "8193"),
    ("chunking", "{ overlap: 256 }", "chunking.overlap", "256"),
    ("chunking", "{ size: 16, overlap: 8 }", "chunking.overlap", "8"),
    ("workers", "{ operations: 0 }", "workers.operations", "0"),
    ("workers", "{ documents: many }", "workers.documents", "many"),
    ("limits", "{ uploadBytes: 0 }", "limits.uploadBytes", "0"),
    ("log", "{ level: loud }", "log.level", "loud"),
]

/// Section, what it says, the name that is told, and what may have been meant.
private let unknownNames: [(String, String, String, String?)] = [
    ("brokers", "{}", "brokers", "broker"),
    ("http", "{ publicURL: x }", "http.publicURL", nil),
    ("frontend", "{ tenants: {} }", "frontend.tenants", nil),
    ("broker", Installation.broker(["timeouts": "1"]), "broker.timeouts", "timeout"),
    ("sources", "{ addresses: { googel_drive: x } }", "sources.addresses.googel_drive", "google_drive"),
    ("sources", "{ retry: { attempt: 1 } }", "sources.retry.attempt", "attempts"),
    ("embedding", "{ model: [] }", "embedding.model", "models"),
    (
        "embedding", "{ models: [{ \(model), \(embedder), \(sized), apiKey: x }] }", "embedding.models[0].apiKey",
        nil
    ),
    ("limits", "{ uploadByte: 1 }", "limits.uploadByte", "uploadBytes"),
]

/// A line for each thing that is wrong, which names file, setting, what was found, what is wanted.
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
        #expect(line.hasPrefix("assets.yaml: \(setting): "), "\(line)")
        #expect(line.contains(found) && line.contains("wanted "), "\(line)")
    }

    @Test(arguments: unknownNames)
    func `an unknown name is one line with what may have been meant`(
        _ section: String, _ text: String, _ setting: String, _ guess: String?
    ) throws {
        let findings = try installation.findings([section: text])
        let line = try #require(findings.first)
        #expect(findings.count == 1, "\(findings)")
        #expect(line.hasPrefix("assets.yaml: \(setting): "), "\(line)")
        if let guess { #expect(line.contains("did you mean \"\(guess)\"?"), "\(line)") }
    }

    @Test func `all that is wrong is said at once`() throws {
        let findings = try installation.findings([
            "http": "{ port: 0 }", "auth": "{ audience: a }", "masterKeyFile": nil, "broker": nil,
            "log": "{ level: loud }",
        ])
        #expect(
            findings.map { $0.split(separator: ": ")[1] } == [
                "http.port", "auth.issuer", "auth.jwksFile", "masterKeyFile", "broker.url", "broker.signingKeyFile",
                "log.level",
            ])
    }

    /// A key that were told in a finding would be in the log.
    @Test func `no finding holds what is in a secret's file`() throws {
        try installation.write("hunter", "hunter2 hunter2")
        let findings = try installation.findings([
            "broker": Installation.broker(["signingKeyFile": "hunter"]),
            "embedding": "{ models: [{ \(model), \(embedder), \(sized), apiKeyFile: hunter }] }",
            "masterKeyFile": "hunter",
        ])
        #expect(findings.count == 3 && !findings.contains { $0.contains("hunter2") }, "\(findings)")
    }

    /// It may stand in the address of a proxy, a broker or an embedder.
    @Test func `no finding holds what may be a password in an address`() throws {
        let address = #""https://user:hunter2@b.example/v1""#
        let findings = try installation.findings([
            "auth": "{ issuer: i, audience: a, jwksURL: \(address) }",
            "broker": Installation.broker(["url": address]),
            "sources": "{ addresses: { github: \(address) } }",
            "embedding": "{ models: [{ \(model), url: \(address), \(sized) }] }", "tracing": "{ endpoint: \(address) }",
        ])
        #expect(findings.count == 5 && !findings.contains { $0.contains("hunter2") }, "\(findings)")
    }

    @Test func `a wrong value of the environment is told with its variable`() throws {
        let findings = try installation.findings(environment: ["CLOAKROOM_ASSETS_WORKERS_DOCUMENTS": "many"])
        #expect(findings.count == 1)
        #expect(
            findings.first?.hasPrefix("environment: CLOAKROOM_ASSETS_WORKERS_DOCUMENTS: workers.documents: ") == true)
    }
}
