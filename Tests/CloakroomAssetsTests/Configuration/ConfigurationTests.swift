import Assets
import Daemon
import Formats
import JOSE
import Logging
import Secrets
import Testing

@testable import cloakroom_assets

/// What each setting becomes.
@Suite struct ConfigurationTests {
    private let installation: Installation

    init() throws { installation = try Installation() }

    @Test func `what need not be said has a default`() throws {
        let configuration = try installation.configuration()
        #expect(configuration.listener.address == ListenerAddress(host: "127.0.0.1", port: 8090))
        #expect(configuration.origins == [])
        #expect(configuration.storePath == installation.path("assets.db"))
        #expect(configuration.uploadsPath == installation.path("assets.db-uploads"))
        #expect(configuration.masterKeyFile.file.path == installation.path("master.key"))
        #expect(configuration.broker.url.text == "https://broker.example.com")
        #expect(configuration.broker.timeout == .seconds(15))
        #expect(configuration.models.isEmpty)
        #expect(configuration.chunking == .init(size: 512, overlap: 64))
        #expect(configuration.workers == .init(operations: 4, documents: 4))
        #expect(configuration.uploadBytes == 52_428_800)
        #expect(configuration.logLevel == .info && configuration.logFormat == .json && configuration.tracing == nil)
        #expect(configuration.warnings == [])
    }

    @Test func `sources are public, by https, and at their usual addresses unless something else is said`() throws {
        let sources = try installation.configuration().sources
        #expect(sources.connectTimeout == .seconds(5) && sources.timeout == .seconds(30))
        #expect(!sources.allowInsecure && !sources.allowPrivateAddresses)
        #expect(sources.maxDocumentBytes == 52_428_800 && sources.maxDocuments == 10_000)
        #expect(sources.retry == .init(attempts: 5, base: .seconds(1), max: .seconds(60)))
        #expect(sources.addresses.googleDrive?.text == "https://www.googleapis.com")
        #expect(sources.addresses.github?.text == "https://api.github.com")
        #expect(sources.addresses.notion?.text == "https://api.notion.com")
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
        Setting("http", "{ host: \"::1\", port: 9000, maxConnections: 7, requestTimeout: 30 }") {
            $0.listener.address.description == "[::1]:9000" && $0.listener.bounds.maxConnections == 7
                && $0.listener.bounds.requestTimeout == .seconds(30)
        },
        Setting("frontend", "{ origins: [] }") { $0.origins.isEmpty },
        Setting("frontend", "{ origins: [\"https://app.example.com\"] }") {
            $0.origins.map(\.description) == ["https://app.example.com"]
        },
        Setting("auth", "{ issuer: i, audience: a, jwksFile: jwks.json, tenantClaim: org, scopeClaim: scp }") {
            $0.rules.issuer == "i" && $0.rules.audience == "a" && $0.rules.tenantClaim == "org"
                && $0.rules.scopeClaim == "scp"
        },
        Setting("storage", "{ url: \"sqlite:/var/lib/x.db\" }") {
            $0.storePath == "/var/lib/x.db" && $0.uploadsPath == "/var/lib/x.db-uploads"
        },
        Setting("broker", Installation.broker(["url": "\"https://b.example/base/\"", "timeout": "2.5"])) {
            $0.broker.url.text == "https://b.example/base" && $0.broker.timeout == .seconds(2.5)
        },
        Setting("sources", "{ connectTimeout: 1, timeout: 0.5, maxDocumentBytes: 9, maxDocuments: 8 }") {
            $0.sources.connectTimeout == .seconds(1) && $0.sources.timeout == .seconds(0.5)
                && $0.sources.maxDocumentBytes == 9 && $0.sources.maxDocuments == 8
        },
        Setting("sources", "{ retry: { attempts: 2, base: 0.01, max: 0.1 } }") {
            $0.sources.retry == .init(attempts: 2, base: .seconds(0.01), max: .seconds(0.1))
        },
        Setting("sources", "{ retry: { max: 0.5 } }") { $0.sources.retry.base == .seconds(0.5) },
        Setting(
            "sources",
            "{ allowInsecure: true, allowPrivateAddresses: true, addresses: { github: \"http://127.0.0.1:1/x/\" } }"
        ) {
            $0.sources.allowInsecure && $0.sources.allowPrivateAddresses
                && $0.sources.addresses.github?.text == "http://127.0.0.1:1/x"
                && $0.sources.addresses.notion?.text == "https://api.notion.com"
        },
        Setting("chunking", "{ size: 1024, overlap: 0 }") { $0.chunking == .init(size: 1024, overlap: 0) },
        Setting("chunking", "{ size: 8192 }") { $0.chunking == .init(size: 8192, overlap: 64) },
        Setting("chunking", "{ size: 64 }") { $0.chunking == .init(size: 64, overlap: 8) },
        Setting("workers", "{ operations: 1, documents: 2 }") { $0.workers == .init(operations: 1, documents: 2) },
        Setting("limits", "{ uploadBytes: 1000 }") { $0.uploadBytes == 1000 },
        Setting("log", "{ level: debug, format: text }") { $0.logLevel == .debug && $0.logFormat == .text },
        Setting("tracing", #"{ endpoint: "http://127.0.0.1:4318/v1/traces", sampleRatio: 0.25 }"#) {
            $0.tracing?.endpoint == "http://127.0.0.1:4318/v1/traces" && $0.tracing?.sampleRatio == 0.25
        },
    ]

    @Test(arguments: settings.indices)
    func `each setting has its effect`(_ index: Int) throws {
        let setting = Self.settings[index]
        let configuration = try installation.configuration([setting.section: setting.text])
        #expect(setting.isSet(configuration), "\(setting.section): \(setting.text)")
    }

    // MARK: the way to the broker

    @Test(
        arguments: [
            ("service.pem", nil, nil), ("service.pem", "other", "other"), ("service.jwk", nil, "own"),
            ("service.jwk", "other", "other"),
        ] as [(String, String?, String?)])
    func `a key in PEM or as JWK signs for the service`(_ file: String, _ given: String?, _ keyID: String?) throws {
        let configuration = try installation.configuration([
            "broker": Installation.broker(["signingKeyFile": file, "keyId": given])
        ])
        guard case .signer(let signer, let issuer, let audience) = configuration.broker.identity else {
            Issue.record("no signer")
            return
        }
        #expect(signer.keyID == keyID && issuer == "i" && audience == "a")
        #expect(signer.sign(type: "JWT", claims: [:]) != nil)
    }

    @Test func `a token in a file takes the place of a key`() throws {
        let broker = Installation.broker([
            "signingKeyFile": nil, "issuer": nil, "audience": nil, "tokenFile": "token",
        ])
        let configuration = try installation.configuration(["broker": broker])
        guard case .tokenFile(let path) = configuration.broker.identity else {
            Issue.record("no token file")
            return
        }
        #expect(path == installation.path("token") && configuration.remarks == [])
    }

    @Test func `what belongs to a key is remarked beside a token`() throws {
        let broker = Installation.broker(["signingKeyFile": nil, "tokenFile": "token"])
        let remarks = try installation.configuration(["broker": broker]).remarks
        #expect(remarks.count == 2 && remarks[0].contains("broker.issuer") && remarks[1].contains("broker.audience"))
    }

    /// RFC 6750 § 5.2: over plain http a token may go to this machine alone.
    @Test(
        arguments: [
            ("http://127.0.0.1:8080", false, true), ("http://b.example", false, false),
            ("http://b.example", true, true),
        ])
    func `a broker is at https or on this machine, except in trials`(
        _ url: String, _ isInsecure: Bool, _ isTaken: Bool
    ) throws {
        let findings = try installation.findings([
            "broker": Installation.broker(["url": "\"\(url)\""]), "sources": "{ allowInsecure: \(isInsecure) }",
        ])
        #expect(findings.isEmpty == isTaken, "\(findings)")
    }

    @Test(arguments: ["allowInsecure", "allowPrivateAddresses"])
    func `what is for trials alone is remarked`(_ name: String) throws {
        let warnings = try installation.configuration(["sources": "{ \(name): true }"]).warnings
        #expect(warnings.count == 1 && warnings[0].contains("sources.\(name)"), "\(warnings)")
        #expect(try installation.configuration(["sources": "{ \(name): false }"]).warnings == [])
    }

    // MARK: models

    private static let models = """
        { models: [
            { provider: openai, model: small, url: "https://api.openai.com/v1/embeddings", apiKeyFile: openai.key,
              dimensions: 1536, pricePerMillionTokens: 0.02, description: "The usual one" },
            { provider: own, model: small, url: "http://127.0.0.1:9000/v1/embeddings", dimensions: 3,
              pricePerMillionTokens: 0 } ] }
        """

    @Test func `models are told in the file's order, each with its way and price`() throws {
        let models = try installation.configuration(["embedding": Self.models]).models
        try #require(models.count == 2)
        #expect(models[0].model.name == EmbeddingModel.Name(provider: "openai", model: "small"))
        #expect(models[0].model.dimensions == 1536 && models[0].model.pricePerMillionTokens == 0.02)
        #expect(models[0].model.description == "The usual one")
        #expect(models[0].url.text == "https://api.openai.com/v1/embeddings")
        #expect(models[0].apiKey?.expose { $0.elementsEqual("sk-0123".utf8) } == true)
        #expect(models[1].apiKey == nil && models[1].model.description == "")
    }

    // MARK: secrets

    @Test func `each file with a secret is looked at`() throws {
        let configuration = try installation.configuration(["embedding": Self.models])
        let settings = configuration.secretFiles.map(\.setting)
        #expect(settings == ["masterKeyFile", "broker.signingKeyFile", "embedding.models[0].apiKeyFile"])
        try installation.write("service.pem", "x", mode: 0o644)
        #expect(configuration.warnings.count == 1 && configuration.warnings[0].contains("broker.signingKeyFile"))
    }

    // MARK: the environment

    @Test func `the environment alone is enough`() throws {
        let configuration = try ConfigurationReader.configuration(
            file: nil,
            environment: [
                "CLOAKROOM_ASSETS_HTTP_PORT": "9001", "CLOAKROOM_ASSETS_AUTH_ISSUER": "i",
                "CLOAKROOM_ASSETS_AUTH_AUDIENCE": "a",
                "CLOAKROOM_ASSETS_AUTH_JWKS_FILE": installation.path("jwks.json"),
                "CLOAKROOM_ASSETS_MASTER_KEY_FILE": installation.path("master.key"),
                "CLOAKROOM_ASSETS_BROKER_URL": "https://b.example",
                "CLOAKROOM_ASSETS_BROKER_TOKEN_FILE": installation.path("token"),
                "CLOAKROOM_ASSETS_SOURCES_RETRY_ATTEMPTS": "2",
                "CLOAKROOM_ASSETS_SOURCES_ADDRESSES_GOOGLE_DRIVE": "https://drive.example",
                "CLOAKROOM_ASSETS_FRONTEND_ORIGINS": "https://a.example, https://b.example",
                "CLOAKROOM_ASSETS_LIMITS_UPLOAD_BYTES": "10",
                // The broker's own.
                "CLOAKROOM_HTTP_PORT": "1", "CLOAKROOM_NONSENSE": "x",
            ])
        #expect(configuration.listener.address.port == 9001)
        #expect(configuration.sources.retry.attempts == 2)
        #expect(configuration.sources.addresses.googleDrive?.text == "https://drive.example")
        #expect(configuration.origins.count == 2 && configuration.uploadBytes == 10)
        #expect(configuration.remarks == [])
    }

    @Test func `the environment wins over the file`() throws {
        let configuration = try installation.configuration(
            ["workers": "{ operations: 1, documents: 2 }"],
            environment: ["CLOAKROOM_ASSETS_WORKERS_OPERATIONS": "7"])
        #expect(configuration.workers == .init(operations: 7, documents: 2))
    }

    @Test func `no two settings have one variable`() {
        let variables = SettingNames.assets.variables
        #expect(Set(variables).count == variables.count)
    }
}
