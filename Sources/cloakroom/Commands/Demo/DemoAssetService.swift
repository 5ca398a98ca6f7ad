import Daemon
import Foundation
import JOSE
import Secrets
import ServiceLifecycle

/// The asset service beside the demo: the program that is deployed, in a process of its own, with settings and keys in the
/// demo's folder.
struct DemoAssetService: ServiceLifecycle.Service {
    /// Beside the broker's own program.
    private let program: URL
    private let configuration: String
    let address: String

    /// The addresses that the service is set up with.
    struct Surroundings {
        var port: Int
        var broker: String
        var provider: String
        var frontend: String
        var issuer: String
        /// Signs callers' tokens, and the service's own for the broker.
        var tokenSecret: SecretBytes
        var serviceToken: String
        var logLevel: String
    }

    /// `nil` where the program was not built, or there is no port left for it.
    init?(_ surroundings: Surroundings, in folder: TemporaryFolder) throws {
        let broker = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
        program = broker.resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(
            "cloakroom-assets")
        guard FileManager.default.isExecutableFile(atPath: program.path), surroundings.port <= 65535 else { return nil }
        address = "http://127.0.0.1:\(surroundings.port)"
        configuration = folder.path("assets.yaml")
        guard let id = KeyRing.KeyID("demo") else { return nil }
        let files = [
            "assets.key": KeyRing.newLine(id: id), "service.token": surroundings.serviceToken,
            "callers.secret": surroundings.tokenSecret.expose { String(decoding: $0, as: UTF8.self) },
            "assets.yaml": Self.settings(surroundings),
        ]
        for (name, text) in files {
            let isWritten = FileManager.default.createFile(
                atPath: folder.path(name), contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            guard isWritten else { throw Refusal("the demo's folder cannot be written: \(folder.path(name))") }
        }
    }

    private static func settings(_ surroundings: Surroundings) -> String {
        // These are for trials, of which it warns; nobody who watches the demo has to hear that.
        let logLevel = surroundings.logLevel == "warning" ? "error" : surroundings.logLevel
        return """
            http: { host: 127.0.0.1, port: \(surroundings.port) }
            frontend: { origins: ["\(surroundings.frontend)"] }
            auth: { issuer: "\(surroundings.issuer)", audience: cloakroom, hmacSecretFile: callers.secret }
            storage: { url: "sqlite:assets.db" }
            masterKeyFile: assets.key
            broker: { url: "\(surroundings.broker)", tokenFile: service.token }
            sources:
              allowInsecure: true
              allowPrivateAddresses: true
              maxDocumentBytes: 1048576
              addresses: { google_drive: "\(surroundings.provider)" }
            embedding:
              models:
                - provider: sandbox
                  model: digest-8
                  url: "\(surroundings.provider)/v1/embeddings"
                  dimensions: 8
                  pricePerMillionTokens: 0.02
                  description: Vectors that mean nothing, for the demo
            workers: { operations: 2, documents: 2 }
            log: { level: \(logLevel), format: text }
            """
    }

    /// Runs until the demo stops, and ends it then. Should it end by itself, as where its port is taken, its own lines have
    /// said why, and the demo goes on without it.
    func run() async throws {
        let process = Process()
        process.executableURL = program
        process.arguments = ["serve", "--config", configuration]
        process.environment = ["PATH": "/usr/bin:/bin"]
        process.standardInput = FileHandle.nullDevice
        let (ends, end) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        await withGracefulShutdownHandler {
            for await _ in ends {}
        } onGracefulShutdown: {
            process.terminate()
        }
        try? await gracefulShutdown()
    }
}
