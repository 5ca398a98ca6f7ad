package import PrometheusMetrics
import Secrets

/// The listeners whose connections are counted.
package final class ListenerMetrics: Sendable {
    private let listeners = Locked<[(name: String, connections: Connections)]>([])

    /// Declares the families; their values are read at each scrape.
    package init(_ registry: PrometheusRegistry) {
        registry.declare(Family("cloakroom_http_connections", .gauge, help: "Open connections, by listener.")) {
            [weak self] in
            self?.samples(\.count) ?? []
        }
        registry.declare(
            Family(
                "cloakroom_http_connections_refused_total", .counter,
                help: "Connections closed at once since there were too many, by listener.")
        ) { [weak self] in self?.samples(\.refusedCount) ?? [] }
    }

    /// - Parameter name: the label's value, one for each listener.
    package func add(_ name: String, _ connections: Connections) {
        listeners.withLock { $0.append((name, connections)) }
    }

    private func samples(_ value: (Connections) -> Int) -> [Sample] {
        listeners.withLock { all in
            all.map { Sample(Double(value($0.connections)), [("listener", $0.name)]) }
        }
    }
}
