import HTTPService
public import PrometheusMetrics

/// The asset service's metrics. No label holds what a caller or a source chose: source types are ours, states and codes
/// come from fixed lists, and tenants are not told apart.
public final class AssetMetrics: Sendable {
    /// All series; `/metrics` shows them.
    public let registry: PrometheusRegistry
    private let listeners: ListenerMetrics

    /// - Parameter version: the program's, as the label of `cloakroom_build_info`.
    public init(version: String = "") {
        let registry = PrometheusRegistry(RouteMetrics.families)
        self.registry = registry
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
}
