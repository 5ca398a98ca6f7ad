import Daemon
import Logging
import ServiceLifecycle

/// The asset service as a process, made of a configuration.
struct AssetProcess {
    private let exporter: SpanExporter?
    private let logger: Logger

    init(_ configuration: Configuration) throws {
        let logger = Logger(label: "cloakroom-assets") { _ in
            LineLogHandler(format: configuration.logFormat, logLevel: configuration.logLevel)
        }
        self.logger = logger
        exporter = configuration.tracing.map {
            SpanExporter($0, service: "cloakroom-assets", version: CloakroomAssets.version, logger: logger)
        }
        for warning in configuration.warnings { logger.warning("\(warning)") }
    }

    /// Serves until SIGTERM or SIGINT, then lets what runs finish, for at most ten seconds.
    func run() async throws {
        let services: [any ServiceLifecycle.Service] = exporter.map { [$0] } ?? []
        try await ServiceRun.run(services, logger: logger, cutOff: {}, close: {})
    }
}
