public import Assets
public import BrokerClient
public import Formats
public import HTTPService
import HTTPTypes
public import Hummingbird
public import HummingbirdCore
public import Logging
public import OTLPTracing
public import Secrets

/// The asset service over HTTP: its routes, and the rules on who may call them.
public struct AssetServer: Sendable {
    private let service: ServiceResponder
    private let metrics: AssetMetrics

    /// All that the routes read by, write to and tell.
    public struct Parts: Sendable {
        public var catalog: AssetCatalog
        public var records: any AssetRecords
        public var uploads: any UploadStore
        public var bounds: UploadBounds
        public var broker: BrokerClient
        /// Seals credentials.
        public var keyRing: KeyRing
        public var signals: IngestionSignals

        public init(
            catalog: AssetCatalog, records: any AssetRecords, uploads: any UploadStore, bounds: UploadBounds,
            broker: BrokerClient, keyRing: KeyRing, signals: IngestionSignals
        ) {
            self.catalog = catalog
            self.records = records
            self.uploads = uploads
            self.bounds = bounds
            self.broker = broker
            self.keyRing = keyRing
            self.signals = signals
        }
    }

    /// - Parameters:
    ///   - allowsOrigin: tells whether pages of an origin may call (`frontend.origins`).
    ///   - proxies: those whose word about a client's address is taken.
    ///   - steadyNow: a monotonic clock.
    public init(
        _ parts: Parts, verifier: BearerTokenVerifier,
        allowsOrigin: @escaping @Sendable (Origin) -> Bool = { _ in false },
        proxies: TrustedProxies = TrustedProxies(), metrics: AssetMetrics = AssetMetrics(), tracer: OTLPTracer? = nil,
        logger: Logger, now: @escaping @Sendable () -> Timestamp,
        steadyNow: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.metrics = metrics
        let operations = OperationsRoutes(registry: metrics.registry, description: PackageResources.openapi_json) {
            try await Self.check(parts.records, for: $0)
        }
        service = ServiceResponder(
            routes: RouteTable(
                base: "",
                routes: Self.routes(parts, verifier, now: now, steadyNow: steadyNow) + operations.routes
                    + [operations.scrape]),
            cors: CORS(
                methods: [.get, .post, .patch, .delete], sending: [.idempotencyKey], exposing: [.location]
            ) { text, _ in Origin(text).map(allowsOrigin) ?? false },
            proxies: proxies, metrics: metrics.registry, tracer: tracer, logger: logger)
    }

    private static func routes(
        _ parts: Parts, _ verifier: BearerTokenVerifier, now: @escaping @Sendable () -> Timestamp,
        steadyNow: @escaping @Sendable () -> ContinuousClock.Instant
    ) -> [Route] {
        let access = AssetAccess(verifier: verifier)
        let brokersTypes = SourceTypesAtBroker(parts.broker, now: steadyNow)
        let creation = AssetCreation(
            catalog: parts.catalog, broker: parts.broker, brokersTypes: brokersTypes, records: parts.records,
            keyRing: parts.keyRing, now: now)
        let assets = AssetRoutes(
            catalog: parts.catalog, creation: creation, records: parts.records, uploads: parts.uploads,
            idempotent: IdempotentCalls(records: parts.records, now: now), signals: parts.signals, access: access,
            now: now)
        let catalog = CatalogRoutes(catalog: parts.catalog, brokersTypes: brokersTypes, access: access)
        let uploads = UploadRoutes(assets: assets, bounds: parts.bounds)
        let operations = OperationRoutes(
            catalog: parts.catalog, records: parts.records, signals: parts.signals, access: access, now: now)
        let documents = DocumentRoutes(records: parts.records, access: access)
        return [catalog.routes, uploads.routes, assets.routes, operations.routes, documents.routes].flatMap { $0 }
    }

    /// Tells operators alone why the service is not ready: others need not know its insides.
    private static func check(_ records: any AssetRecords, for asker: OperationsRoutes.Asker) async throws(Problem) {
        do {
            try await records.check()
        } catch {
            var problem = error.problem
            if asker == .operators, let reason = problem.reason { problem.detail = "the store cannot write: \(reason)" }
            throw problem
        }
    }

    /// Answers everybody's requests.
    public var responder: some HTTPResponder<Context> { service }

    /// HTTP/1.1 for untrusted peers, in front of `responder`.
    public func listener(_ bounds: ListenerBounds) -> HTTPServerBuilder {
        service.listener(bounds, counting: metrics.connections("public", most: bounds.maxConnections))
    }
}
