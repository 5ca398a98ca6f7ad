public import Broker
public import Catalog
import CoreMetrics
import HTTPService
public import OTLPTracing
public import PrometheusMetrics
public import Transport

/// The broker's metrics. No label holds what a caller chose: source types are the catalog's, codes and outcomes come
/// from fixed lists, and tenants are not told apart.
public final class BrokerMetrics: Sendable {
    /// All series; `/metrics` shows them.
    public let registry: PrometheusRegistry
    /// Told what the database's writer does.
    public let store: StoreMetrics
    let refreshes: OutcomeMetrics
    let revocations: OutcomeMetrics
    private let listeners: ListenerMetrics
    private let sourceTypes: SourceTypeMetrics.All
    private let redeemed: Counter
    private let reused: Counter
    private let refused: Counter
    /// By the event's name.
    private let others: [String: Counter]

    /// - Parameters:
    ///   - sourceTypes: those of the catalog.
    ///   - ready: those of them whose metrics are there from the start, at 0.
    ///   - version: the program's, as the label of `cloakroom_build_info`.
    public init(sourceTypes: [SourceType.ID] = [], ready: [SourceType.ID] = [], version: String = "") {
        let registry = PrometheusRegistry(Self.families)
        self.registry = registry
        store = StoreMetrics(registry)
        let provider = [
            "provider_rejected", "provider_unreachable", "provider_timeout", "rate_limited", "unavailable",
        ]
        refreshes = OutcomeMetrics(
            "cloakroom_refreshes_total", codes: ["reauthorization_required"] + provider, factory: registry)
        revocations = OutcomeMetrics(
            "cloakroom_revocations_total", codes: ["revocation_unsupported"] + provider, factory: registry)
        self.sourceTypes = SourceTypeMetrics.All(sourceTypes, ready: ready, registry)
        redeemed = Counter(label: "cloakroom_credential_keys_redeemed_total", factory: registry)
        reused = Counter(label: "cloakroom_credential_keys_reused_total", factory: registry)
        refused = Counter(label: "cloakroom_credential_keys_refused_total", factory: registry)
        let action = { (name: String) in
            Counter(label: "cloakroom_admin_actions_total", dimensions: [("type", name)], factory: registry)
        }
        others = [
            "credential_key.expired": Counter(label: "cloakroom_credential_keys_expired_total", factory: registry),
            "credential_key.unreadable": Counter(
                label: "cloakroom_credential_keys_unreadable_total", factory: registry),
            "revocation": action("revocation"), "client.changed": action("client.changed"),
        ]
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

    /// Counts what happened. Does not block.
    public func count(_ event: Event) {
        switch event.kind {
        case .flowStarted: sourceTypes[event.sourceType].started.increment()
        case .flowSucceeded: sourceTypes[event.sourceType].succeeded.increment()
        case .flowFailed: sourceTypes[event.sourceType].failed(event.code)
        case .credentialKeyRedeemed: redeemed.increment()
        case .credentialKeyReused: reused.increment()
        case .credentialKeyRefused: refused.increment()
        // Refreshes and revocations are counted where their failures are seen as well.
        default: others[event.kind.rawValue]?.increment()
        }
    }

    /// The same transport, each request timed and its outcome counted, and traced where there is a tracer.
    public func measuring(_ transport: any HTTPTransport, tracer: OTLPTracer? = nil) -> some ProviderTransport {
        MeasuredTransport(transport: transport, sourceTypes: sourceTypes, tracer: tracer)
    }

    private static let families =
        RouteMetrics.families + [
            Family("cloakroom_flows_started_total", .counter, help: "Flows started, by source type."),
            Family(
                "cloakroom_flows_succeeded_total", .counter,
                help: "Flows that ended with a credential key, by source type."),
            Family(
                "cloakroom_flows_failed_total", .counter,
                help: "Flows whose callback gave no credential key, by source type and code."),
            Family("cloakroom_credential_keys_redeemed_total", .counter, help: "Credential keys redeemed."),
            Family(
                "cloakroom_credential_keys_reused_total", .counter,
                help: "Credential keys presented again after they were spent. Each is an alarm: somebody has a copy."),
            Family(
                "cloakroom_credential_keys_refused_total", .counter,
                help: "Presented keys that were unknown, expired, another tenant's or without the right verifier."),
            Family(
                "cloakroom_credential_keys_expired_total", .counter,
                help: "Credential keys that nobody redeemed in time."),
            Family(
                "cloakroom_credential_keys_unreadable_total", .counter,
                help:
                    "Presentations of sound keys whose tokens no master key opens. Each is an alarm: a master key is missing."
            ),
            Family("cloakroom_refreshes_total", .counter, help: "Refreshes that asset services asked for, by outcome."),
            Family(
                "cloakroom_revocations_total", .counter, help: "Revocations that asset services asked for, by outcome."),
            Family("cloakroom_admin_actions_total", .counter, help: "Changes made through the admin API, by type."),
            Family(
                MeasuredTransport.duration, .histogram([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30]),
                help: "Time until a provider's answer was read or given up, by source type."),
            Family(
                MeasuredTransport.requests, .counter,
                help: "Requests to providers, by source type and outcome: the status class, or why no answer came."),
            Family(
                BearerTokenVerifier.tokens, .counter,
                help: "Callers' tokens, by whether they were known (hit) or had to be verified (miss)."),
            Family(
                StoreMetrics.size, .histogram([1, 2, 4, 8, 16, 32, 64, 128]), help: "Operations that shared one commit."
            ),
            Family(
                StoreMetrics.duration, .histogram([0.0001, 0.00025] + Family.seconds),
                help: "Time of one transaction, its commit to the disk included."),
            Family(StoreMetrics.failures, .counter, help: "Transactions that failed: the disk, a lock, a fault."),
            Family(StoreMetrics.refusals, .counter, help: "Operations refused at once since too many waited."),
            Family(
                StoreMetrics.brokenTrail, .gauge,
                help:
                    "1 once the audit trail was found altered: it is not extended any more, and the log has the events."
            ),
        ]
}
