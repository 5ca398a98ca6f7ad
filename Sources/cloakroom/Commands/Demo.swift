import ArgumentParser
import Broker
import BrokerServer
import CurlTransport
import Foundation
import Hummingbird
import JWTKit
import Logging
import Sandbox
import Secrets
import ServiceLifecycle

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the broker with a sandbox provider and a demo frontend, on three loopback ports.",
        discussion: "Needs no account, no file and no network. Its data is deleted when it ends.")

    @Option(name: .long, help: "The broker's port; the provider and the frontend take the next two.")
    var port = 8080

    @Option(name: .long, help: "How much to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel = "warning"

    private static let tenant = "demo"
    private static let issuer = "https://issuer.demo.example"

    func validate() throws {
        guard (1...65533).contains(port) else { throw ValidationError("port must be 1 to 65533") }
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("log-level is none of the levels") }
    }

    func run() async throws {
        let broker = "http://127.0.0.1:\(port)"
        let provider = "http://127.0.0.1:\(port + 1)"
        let frontend = "http://127.0.0.1:\(port + 2)"
        let folder = FileManager.default.temporaryDirectory.appending(path: "cloakroom-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }

        let clientSecret = Base64URL.encode(Random.bytes(24))
        let tokenSecret = Random.bytes(32)
        let configuration = try await configuration(
            broker: broker, provider: provider, frontend: frontend, store: folder.appending(path: "demo.db").path,
            clientSecret: clientSecret, tokenSecret: tokenSecret)
        let service = try Service(configuration)

        let sandbox = SandboxProvider(
            clients: [
                .init(
                    id: "cloakroom-demo", secret: clientSecret,
                    redirectURIs: configuration.registrations.map(\.address),
                    name: "Cloakroom Demo")
            ], baseURL: provider)
        let demo = DemoFrontend(
            baseURL: frontend, brokerURL: broker, providerURL: provider, tenant: Self.tenant,
            token: { try await Self.token(tokenSecret) })
        var logger = Logger(label: "cloakroom.demo") { _ in LogLines(format: .text, logLevel: .warning) }
        logger.logLevel = .error
        let others: [any ServiceLifecycle.Service] = [
            Application(
                router: sandbox.router(), configuration: .init(address: .hostname("127.0.0.1", port: port + 1)),
                logger: logger),
            Application(
                router: demo.router(), configuration: .init(address: .hostname("127.0.0.1", port: port + 2)),
                logger: logger),
        ]
        Terminal.result(
            """
            Cloakroom demo: everything runs on this machine, and its data is deleted when it stops.

              frontend   \(frontend)   open this one, click Connect, consent, see the credentials arrive once
              provider   \(provider)   the sandbox: an OAuth provider with switches for awkward behaviour
              broker     \(broker)   what you would deploy

            Ctrl-C stops it.
            """)
        try await service.run(with: others)
    }

    private func configuration(
        broker: String, provider: String, frontend: String, store: String, clientSecret: String, tokenSecret: [UInt8]
    ) async throws -> Configuration {
        let findings = Findings()
        let catalog = Catalog(
            files: [("sandbox.yaml", SandboxProvider.catalog(providerURL: provider))], allowInsecure: true,
            findings: findings)
        guard findings.lines.isEmpty else { throw Refusal(findings.lines) }
        guard let publicURL = StrictURL(broker), let origin = Origin(frontend), let id = KeyRing.KeyID("demo") else {
            throw Refusal("the demo's own addresses are malformed")
        }
        var transport = CurlTransport.Configuration()
        transport.allowInsecure = true
        transport.allowPrivateAddresses = true
        return Configuration(
            origin: "demo", host: "127.0.0.1", port: port,
            broker: Broker.Settings(publicURL: publicURL, frontends: Frontends(origins: [origin])),
            rules: Callers.Rules(issuer: Self.issuer, audience: "cloakroom"),
            callerKeys: .fixed(try VerificationKeys(sharedSecret: tokenSecret)), storePath: store,
            keyRing: try KeyRing(KeyRing.newLine(id: id)), transport: transport, catalog: catalog,
            clients: ["sandbox": Client(id: "cloakroom-demo", secret: ClientSecret(clientSecret))],
            logLevel: Logger.Level(rawValue: logLevel) ?? .warning, logFormat: .text, remarks: [])
    }

    /// What the demo frontend's own backend would mint for its signed-in user.
    private static func token(_ secret: [UInt8]) async throws -> String {
        let now = Double(Timestamp.now.milliseconds / 1000)
        let keys = await JWTKeyCollection().add(hmac: HMACKey(from: Data(secret)), digestAlgorithm: .sha256)
        return try await keys.sign(
            Claims(members: [
                "iss": .string(issuer), "aud": .string("cloakroom"), "sub": .string("demo-user"),
                "iat": .number(now), "exp": .number(now + 3600), "tenant": .string(tenant),
                "scope": .string("assets:write"),
            ]))
    }
}
