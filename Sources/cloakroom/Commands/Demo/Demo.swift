import ArgumentParser
import Broker
import BrokerServer
import Catalog
import CurlTransport
import Daemon
import Formats
import Foundation
import HTTPService
import Hummingbird
import JOSE
import Logging
import Sandbox
import Secrets
import ServiceLifecycle
import StrictYAML

/// Runs broker, sandbox provider and demo frontend in one process, and the asset service beside it, for people who try the
/// product. Keys, secrets and
/// the database are new each time; no configuration is read.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the broker with a sandbox provider, a demo frontend and the asset service, on loopback ports.",
        discussion: "Needs no account, no file and no network. Its data is deleted when it ends.")

    @Option(
        name: .long, help: "The broker's port; the provider, the frontend and the asset service take the next three.")
    var port = 8080

    @Option(name: .long, help: "How much to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel = "warning"

    private static let tenant = "demo"
    private static let issuer = "https://issuer.demo.example"

    func validate() throws {
        // Two more follow it, and a third where there is room for the asset service.
        guard (1...65533).contains(port) else { throw ValidationError("port must be 1 to 65533") }
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("log-level is none of the levels") }
    }

    func run() async throws {
        let broker = "http://127.0.0.1:\(port)"
        let provider = "http://127.0.0.1:\(port + 1)"
        let frontend = "http://127.0.0.1:\(port + 2)"
        let folder = try TemporaryFolder("cloakroom-demo")
        defer { folder.remove() }

        let clientSecret = Base64URL.encode(Random.bytes(24))
        // Text, since the asset service reads it from a file.
        let tokenSecret = SecretBytes(Array(Base64URL.encode(Random.bytes(32)).utf8))
        let configuration = try await configuration(
            broker: broker, provider: provider, frontend: frontend, store: folder.path("demo.db"),
            clientSecret: clientSecret, tokenSecret: tokenSecret)
        let service = try BrokerProcess(configuration)

        let sandbox = SandboxProvider(
            clients: [
                .init(
                    id: "cloakroom-demo", secret: clientSecret,
                    redirectURIs: configuration.registrations.map(\.address),
                    name: "Cloakroom Demo")
            ], baseURL: provider)
        let assets = try DemoAssetService(
            .init(
                port: port + 3, broker: broker, provider: provider, frontend: frontend, issuer: Self.issuer,
                tokenSecret: tokenSecret,
                serviceToken: try Self.token(tokenSecret, scope: "credentials:write assets:read", seconds: 7 * 86_400),
                logLevel: logLevel), in: folder)
        let demo = DemoFrontend(
            baseURL: frontend, brokerURL: broker, providerURL: provider, assetsURL: assets?.address,
            tenant: Self.tenant, token: { try Self.token(tokenSecret, scope: "assets:write", seconds: 3600) })
        var logger = Logger(label: "cloakroom.demo") { _ in LineLogHandler(format: .text, logLevel: .warning) }
        logger.logLevel = .error
        var others: [any ServiceLifecycle.Service] = [
            Application(
                router: sandbox.router(), configuration: .init(address: .hostname("127.0.0.1", port: port + 1)),
                logger: logger),
            Application(
                router: demo.router(), configuration: .init(address: .hostname("127.0.0.1", port: port + 2)),
                logger: logger),
        ]
        if let assets { others.append(assets) }
        let reader =
            assets.map { "\n  assets     \($0.address)   reads the Team Handbook, and tells how far it is" } ?? ""
        Terminal.result(
            """
            Cloakroom demo: everything runs on this machine, and its data is deleted when it stops.

              frontend   \(frontend)   open this one: Connect, Sign in, Allow; Redeem works once
              provider   \(provider)   the sandbox: an OAuth provider with switches for awkward behaviour
              broker     \(broker)   what you would deploy\(reader)

            Ctrl-C stops it.
            """)
        try await service.run(with: others)
    }

    /// Made here, since a demo reads no file: nothing of an installation's can be touched by it.
    private func configuration(
        broker: String, provider: String, frontend: String, store: String, clientSecret: String,
        tokenSecret: SecretBytes
    ) async throws -> Configuration {
        let findings = Findings()
        let catalog = Catalog(
            files: [
                ("sandbox.yaml", SandboxProvider.catalog(providerURL: provider)),
                ("drive.yaml", SandboxProvider.driveCatalog(providerURL: provider)),
            ], allowInsecure: true,
            findings: findings)
        try findings.refuse()
        guard let publicURL = StrictURL(broker), let origin = Origin(frontend), let id = KeyRing.KeyID("demo") else {
            throw Refusal("the demo's own addresses are malformed")
        }
        var transport = CurlTransport.Configuration()
        transport.allowInsecure = true
        transport.allowPrivateAddresses = true
        var settings = Broker.Settings(publicURL: publicURL, frontends: Frontends(origins: [origin]))
        // Any on this machine: the sandbox's own, and whatever its owner tries.
        settings.resources = ResourceServers(["127.0.0.1", "localhost"].compactMap { HostPattern($0) })
        return Configuration(
            origin: "demo", address: ListenerAddress(host: "127.0.0.1", port: port),
            broker: settings,
            rules: BearerTokenVerifier.Rules(issuer: Self.issuer, audience: "cloakroom"),
            callerKeys: .fixed(try VerificationKeys(sharedSecret: tokenSecret)), store: .sqlite(path: store),
            keyRing: try KeyRing(KeyRing.newLine(id: id)), transport: transport, catalog: catalog,
            clients: ["sandbox": Client(id: "cloakroom-demo", secret: ClientSecret(clientSecret))],
            logLevel: Logger.Level(rawValue: logLevel) ?? .warning, logFormat: .text, remarks: [])
    }

    /// A token as the demo frontend's own backend would mint it for its signed-in user.
    private static func token(_ secret: SecretBytes, scope: String, seconds: Int64) throws -> String {
        let now = Timestamp.now
        let token = JSONWebSignature.sign(
            header: [("typ", .string("JWT"))],
            claims: [
                "iss": .string(issuer), "aud": .string("cloakroom"), "sub": .string("demo-user"),
                "iat": .seconds(now), "exp": .seconds(now.adding(seconds: seconds)), "tenant": .string(tenant),
                "scope": .string(scope),
            ], sharedSecret: secret)
        guard let token else { throw Refusal("the demo's own secret does not sign") }
        return token
    }
}
