import AssetReaders
import AssetServer
import AssetStore
import Assets
import BrokerClient
import CurlTransport
import Daemon
import Formats
import Foundation
import HTTPService
import Logging
import Secrets
import ServiceLifecycle
import Transport

/// The asset service as a process, made of a configuration: its store, transports, ingestion and listener.
struct AssetProcess {
    private let listener: ListenerService
    private let ingestion: IngestionService
    private let keys: KeyWatcher
    private let exporter: SpanExporter?
    private let store: SQLiteAssetStore
    private let transports: Transports
    private let logger: Logger

    init(_ configuration: Configuration) throws {
        let logger = Logger(label: "cloakroom-assets") { _ in
            LineLogHandler(format: configuration.logFormat, logLevel: configuration.logLevel)
        }
        self.logger = logger
        let metrics = AssetMetrics(version: CloakroomAssets.version)
        let log = IngestionLog(logger)
        store = try configuration.database { path throws(OpeningError) in
            try SQLiteAssetStore(path: path) { event in
                metrics.store.count(event)
                log.write(event)
            }
        }
        exporter = configuration.tracing.map {
            SpanExporter($0, service: "cloakroom-assets", version: CloakroomAssets.version, logger: logger)
        }
        metrics.registry.declare(log: .standardError)
        if let queue = exporter?.queue { metrics.registry.declare(spans: queue) }
        let extractor = DocumentTextExtractor(executable: Self.executable)
        let readers = configuration.readers(supportedTypes: extractor.supportedTypes, uploads: configuration.uploadsPath)
        transports = Transports(configuration, longestAnswer: readers.longestAnswer)
        let broker = configuration.brokerClient(metrics.measuring(transports.broker, to: .broker))
        let tokens = AssetTokens(
            store: store, keyRing: configuration.keyRing, broker: broker, retry: configuration.retry, logger: logger)
        let sources = StandardSources(
            readers, web: metrics.measuring(transports.web, to: .web), api: metrics.measuring(transports.api, to: .api))
        let embedders = configuration.embedders(metrics.measuring(transports.embedder, to: .embedder))
        let now: @Sendable () -> Timestamp = { .now }
        let ingestions = Ingestions(
            IngestionParts(
                store: store, readers: sources, extractor: extractor, tokens: { tokens.source(of: $0.asset) },
                embedder: { embedders[$0] },
                observe: { event in
                    metrics.ingestion.count(event)
                    log.write(event)
                }, now: now),
            limits: configuration.limits)
        ingestion = IngestionService(ingestions: ingestions)
        let source: KeySource =
            switch configuration.callerKeys {
            case .fixed(let keys): .fixed(keys)
            case .address(let url): .address(url, transports.broker)
            }
        let verifier = BearerTokenVerifier(
            rules: configuration.rules, keys: source, factory: metrics.registry, now: now, tell: { log.write($0) })
        let parts = AssetServer.Parts(
            catalog: configuration.catalog(sources.sourceTypes, extractor.supportedTypes), records: store,
            uploads: store.uploads, bounds: UploadBounds(fileBytes: configuration.uploadBytes), broker: broker,
            keyRing: configuration.keyRing,
            signals: IngestionSignals(wake: { ingestions.wake() }, cancel: { await ingestions.cancel($0) }))
        let origins = configuration.origins
        let server = AssetServer(
            parts, verifier: verifier, allowsOrigin: { origin in origins.contains { $0.matches(origin) } },
            proxies: configuration.listener.proxies, metrics: metrics, tracer: exporter?.tracer, logger: logger,
            now: now)
        let ring = configuration.keyRing
        keys = KeyWatcher(
            state: configuration.masterKeyFile, logger: logger, replace: { ring.replace(by: $0) }, reseal: {})
        let (bounds, lowered) = configuration.listener.bounds.withinDescriptors(beside: 0)
        let warnings = configuration.warnings + lowered
        listener = ListenerService(
            server.responder, server.listener(bounds), at: configuration.listener.address, setting: "http",
            logger: logger
        ) { for warning in warnings { logger.warning("\(warning)") } }
    }

    /// Serves until SIGTERM or SIGINT, then lets what runs finish, for at most ten seconds.
    func run() async throws {
        var services: [any ServiceLifecycle.Service] = exporter.map { [$0] } ?? []
        // Nothing is answered before what an earlier process left is taken up.
        try await ingestion.recover()
        services += [ingestion, keys, listener] as [any ServiceLifecycle.Service]
        try await ServiceRun.run(services, logger: logger, cutOff: close, close: close)
    }

    private func close() async {
        await transports.shutdown()
        await store.close()
    }

    /// This program, which is its own child for Word documents.
    private static let executable =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments.first
}
