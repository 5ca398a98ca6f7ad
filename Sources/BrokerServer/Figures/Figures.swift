public import Broker
public import Catalog
import CoreMetrics
public import OTLPTracing
public import PrometheusMetrics
public import Transport

/// What the broker counts. No label holds what a caller chose: source types are the catalog's, codes and outcomes come
/// from fixed lists, and tenants are not told apart.
public final class Figures: Sendable {
    public let registry: PrometheusRegistry
    public let store: StoreFigures
    let refreshes: Outcomes
    let revocations: Outcomes
    private let listeners: ListenerFigures
    private let sourceTypes: SourceTypeFigures.All
    private let redeemed: Counter
    private let reused: Counter
    private let refused: Counter
    /// By the event's name.
    private let others: [String: Counter]

    /// - Parameters:
    ///   - sourceTypes: those of the catalog.
    ///   - ready: those of them whose figures are there from the start, at 0.
    ///   - version: the program's.
    public init(sourceTypes: [SourceType.ID] = [], ready: [SourceType.ID] = [], version: String = "") {
        let registry = PrometheusRegistry(Self.families)
        self.registry = registry
        store = StoreFigures(registry)
        let provider = [
            "provider_rejected", "provider_unreachable", "provider_timeout", "rate_limited", "unavailable",
        ]
        refreshes = Outcomes("cloakroom_refreshes_total", ["reauthorization_required"] + provider, registry)
        revocations = Outcomes("cloakroom_revocations_total", ["revocation_unsupported"] + provider, registry)
        self.sourceTypes = SourceTypeFigures.All(sourceTypes, ready: ready, registry)
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
        registry.declare(Family("cloakroom_build_info", .gauge, "1, with the version that runs.")) {
            [Sample(1, [("version", version)])]
        }
        listeners = ListenerFigures(registry)
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

    private static let families = [
        Family(RouteMeter.requests, .counter, "Requests by route, method and status."),
        Family(
            RouteMeter.duration, .histogram(Family.seconds),
            "Time from a request's head to its answer's head, by route."),
        Family("cloakroom_flows_started_total", .counter, "Flows started, by source type."),
        Family("cloakroom_flows_succeeded_total", .counter, "Flows that ended with a credential key, by source type."),
        Family(
            "cloakroom_flows_failed_total", .counter,
            "Flows whose callback gave no credential key, by source type and code."),
        Family("cloakroom_credential_keys_redeemed_total", .counter, "Credential keys redeemed."),
        Family(
            "cloakroom_credential_keys_reused_total", .counter,
            "Credential keys presented again after they were spent. Each is an alarm: somebody has a copy."),
        Family(
            "cloakroom_credential_keys_refused_total", .counter,
            "Presented keys that were unknown, expired, another tenant's or without the right verifier."),
        Family("cloakroom_credential_keys_expired_total", .counter, "Credential keys that nobody redeemed in time."),
        Family(
            "cloakroom_credential_keys_unreadable_total", .counter,
            "Presentations of sound keys whose tokens no master key opens. Each is an alarm: a master key is missing."),
        Family("cloakroom_refreshes_total", .counter, "Refreshes that asset services asked for, by outcome."),
        Family("cloakroom_revocations_total", .counter, "Revocations that asset services asked for, by outcome."),
        Family("cloakroom_admin_actions_total", .counter, "Changes made through the admin API, by type."),
        Family(
            MeasuredTransport.duration, .histogram([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30]),
            "Time until a provider's answer was read or given up, by source type."),
        Family(
            MeasuredTransport.requests, .counter,
            "Requests to providers, by source type and outcome: the status class, or why no answer came."),
        Family(
            Callers.tokens, .counter, "Callers' tokens, by whether they were known (hit) or had to be verified (miss)."),
        Family(
            StoreFigures.size, .histogram([1, 2, 4, 8, 16, 32, 64, 128]), "Operations that shared one commit."),
        Family(
            StoreFigures.duration, .histogram([0.0001, 0.00025] + Family.seconds),
            "Time of one transaction, its commit to the disk included."),
        Family(StoreFigures.failures, .counter, "Transactions that failed: the disk, a lock, a fault."),
        Family(StoreFigures.refusals, .counter, "Operations refused at once since too many waited."),
        Family(
            StoreFigures.brokenTrail, .gauge,
            "1 once the audit trail was found altered: it is not extended any more, and the log has the events."),
    ]
}

/// What the database's writer does.
public struct StoreFigures: Sendable {
    static let size = "cloakroom_store_commit_operations"
    static let duration = "cloakroom_store_commit_duration_seconds"
    static let failures = "cloakroom_store_failures_total"
    static let refusals = "cloakroom_store_refusals_total"
    static let brokenTrail = "cloakroom_audit_trail_broken"

    private let size: Recorder
    private let duration: Timer
    private let failures: Counter
    private let refusals: Counter
    private let brokenTrail: Gauge

    init(_ factory: any MetricsFactory) {
        size = Recorder(label: Self.size, factory: factory)
        duration = Timer(label: Self.duration, dimensions: [], factory: factory)
        failures = Counter(label: Self.failures, factory: factory)
        refusals = Counter(label: Self.refusals, factory: factory)
        brokenTrail = Gauge(label: Self.brokenTrail, dimensions: [], factory: factory)
        brokenTrail.record(0)
    }

    public func committed(_ operations: Int, in time: Duration) {
        size.record(operations)
        duration.recordNanoseconds(time.nanoseconds)
    }

    public func failed() { failures.increment() }

    public func refused() { refusals.increment() }

    public func trailIsBroken() { brokenTrail.record(1) }
}

extension Duration {
    var nanoseconds: Int64 {
        let parts = components
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }
}
