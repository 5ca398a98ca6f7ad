import CoreMetrics
import HTTPService
public import OTLPTracing
public import PrometheusMetrics
public import Transport

/// The asset service's metrics. No label holds what a caller or a source chose: outcomes and codes come from fixed lists,
/// and neither tenants nor addresses are told apart.
public final class AssetMetrics: Sendable {
    /// All series; `/metrics` shows them.
    public let registry: PrometheusRegistry
    /// Told what becomes of operations and documents.
    public let ingestion: IngestionMetrics
    /// Told what the database's writer does.
    public let store: AssetStoreMetrics
    private let listeners: ListenerMetrics

    /// - Parameter version: the program's, as the label of `cloakroom_build_info`.
    public init(version: String = "") {
        let registry = PrometheusRegistry(Self.families)
        self.registry = registry
        ingestion = IngestionMetrics(registry)
        store = AssetStoreMetrics(registry)
        registry.declare(Family("cloakroom_build_info", .gauge, help: "1, with the version that runs.")) {
            [Sample(1, [("version", version)])]
        }
        listeners = ListenerMetrics(registry)
        registry.declareProcess()
    }

    /// The counted connections of a listener.
    func connections(_ listener: String, most: Int) -> Connections {
        let connections = Connections(most: most)
        listeners.add(listener, connections)
        return connections
    }

    /// The same transport, each request timed and its outcome counted, and traced where there is a tracer.
    public func measuring(
        _ transport: any HTTPTransport, to target: RequestTarget, tracer: OTLPTracer? = nil
    ) -> some HTTPTransport {
        MeasuredTransport(transport, to: target, registry, tracer)
    }

    private static let families =
        RouteMetrics.families + IngestionMetrics.families + AssetStoreMetrics.families + MeasuredTransport.families + [
            Family(
                BearerTokenVerifier.tokens, .counter,
                help: "Callers' tokens, by whether they were known (hit) or had to be verified (miss).")
        ]
}
