import AssetReaders
import AssetServer
import AssetStore
import Assets
import BrokerClient
import Daemon
import Formats
import HTTPService
import Logging
import PrometheusMetrics
import Secrets
import ServiceLifecycle

/// The asset service as a process, made of a configuration: its store, transports, readers, ingestion and listener.
struct AssetProcess {
    private let store: SQLiteAssetStore
    private let transports: Transports
    private let ingestions: Ingestions
    private let listener: ListenerService
    private let backlog: BacklogWatch
    private let keyRing: KeyRing
    private let keys: KeyWatcher
    private let exporter: SpanExporter?
    private let logger: Logger

    init(_ configuration: Configuration) throws {
        let logger = Logger(label: "cloakroom-assets") { _ in
            LineLogHandler(format: configuration.logFormat, logLevel: configuration.logLevel)
        }
        self.logger = logger
        let metrics = AssetMetrics(version: CloakroomAssets.version)
        store = try configuration.store(metrics, logger)
        exporter = configuration.tracing.map {
            SpanExporter($0, service: "cloakroom-assets", version: CloakroomAssets.version, logger: logger)
        }
        metrics.registry.declare(log: .standardError)
        if let queue = exporter?.queue { metrics.registry.declare(spans: queue) }
        transports = Transports(configuration)
        let tracer = exporter?.tracer
        let broker = configuration.broker.client(
            by: metrics.measuring(transports.broker, to: .broker, tracer: tracer))
        let extractor = DocumentTextExtractor(executable: Executable.path)
        let readers = configuration.readers(of: extractor, metrics, transports)
        ingestions = Ingestions(
            IngestionParts(
                store: store, readers: readers, extractor: extractor,
                tokens: configuration.tokens(in: store, by: broker, logger),
                embedder: configuration.embedders(metrics, transports),
                observe: IngestionLog(logger, metrics: metrics, spans: tracer.map { IngestionSpans($0) }).write,
                now: { .now }),
            limits: configuration.ingestionLimits)
        let server = AssetServer(
            AssetServer.Parts(
                catalog: configuration.catalog(readers, extractor), records: store, uploads: store.uploads,
                bounds: UploadBounds(fileBytes: configuration.uploadBytes), broker: broker,
                keyRing: configuration.keyRing, signals: IngestionSignals(ingestions)),
            verifier: configuration.verifier(metrics, transports, logger), allowsOrigin: configuration.allows,
            proxies: configuration.listener.proxies, metrics: metrics, tracer: tracer, logger: logger,
            now: { .now })
        listener = Self.listener(server, configuration, logger)
        backlog = BacklogWatch(store: store, metrics: metrics.ingestion)
        keyRing = configuration.keyRing
        keys = KeyWatcher(configuration, store, logger)
    }

    /// Serves until SIGTERM or SIGINT, then lets what runs finish, for at most ten seconds.
    func run() async throws {
        do throws(Refusal) {
            try await prepare()
        } catch {
            await close()
            throw error
        }
        // The exporter first, so that it stops last and sends what the others' last requests made.
        var services: [any ServiceLifecycle.Service] = exporter.map { [$0] } ?? []
        services += [listener, backlog, keys, IngestionService(ingestions)]
        try await ServiceRun.run(services, logger: logger, cutOff: close, close: close)
    }

    private func prepare() async throws(Refusal) {
        try await keyRing.check(store)
        do throws(AssetStoreError) {
            try await ingestions.recover()
        } catch {
            throw Refusal("what an earlier process left cannot be taken up: \(error.words)")
        }
    }

    /// The transports first: what waits for an answer fails while the store can still keep that.
    private func close() async {
        await transports.shutdown()
        await store.close()
    }

    private static func listener(
        _ server: AssetServer, _ configuration: Configuration, _ logger: Logger
    ) -> ListenerService {
        let (bounds, lowered) = configuration.listener.bounds.withinDescriptors()
        let warnings = configuration.warnings + lowered
        return ListenerService(
            server.responder, server.listener(bounds), at: configuration.listener.address, setting: "http",
            logger: logger
        ) {
            for warning in warnings { logger.warning("\(warning)") }
        }
    }
}

extension IngestionSignals {
    fileprivate init(_ ingestions: Ingestions) {
        self.init(wake: { ingestions.wake() }, cancel: { await ingestions.cancel($0) })
    }
}
