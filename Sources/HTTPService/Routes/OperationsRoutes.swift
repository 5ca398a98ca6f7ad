import HTTPTypes
import Hummingbird
import NIOCore
package import PrometheusMetrics

/// The routes that load balancers and operators ask.
package struct OperationsRoutes: Sendable {
    /// The one who asks whether the service is ready.
    package enum Asker: Sendable {
        /// Anyone who reaches the service, such as a load balancer.
        case anybody
        /// Those who reach the operators' listener: they alone are told the reason why it is not.
        case operators
    }

    private let registry: PrometheusRegistry
    private let description: ByteBuffer
    private let check: @Sendable (Asker) async throws -> Void

    private struct Status: Encodable { let status: String }

    /// - Parameters:
    ///   - description: the API in OpenAPI 3.1.
    ///   - check: throws a `Problem` while the service is not ready.
    package init(
        registry: PrometheusRegistry, description: [UInt8], check: @escaping @Sendable (Asker) async throws -> Void
    ) {
        self.registry = registry
        self.description = ByteBuffer(bytes: description)
        self.check = check
    }

    /// For everybody.
    package var routes: [Route] {
        [
            health, readiness(for: .anybody),
            Route(template: "/openapi.json", handlers: [.get: { _, _ in answer() }]),
        ]
    }

    /// For a listener that operators alone reach.
    package var operatorRoutes: [Route] { [health, readiness(for: .operators), scrape] }

    private var health: Route {
        Route(template: "/healthz", handlers: [.get: { _, _ in .json(Status(status: "ok")) }])
    }

    private func readiness(for asker: Asker) -> Route {
        Route(
            template: "/readyz",
            handlers: [
                .get: { _, _ in
                    try await check(asker)
                    return .json(Status(status: "ready"))
                }
            ])
    }

    /// The address that Prometheus reads.
    package var scrape: Route { Route(template: "/metrics", handlers: [.get: { _, _ in exposition() }]) }

    private func answer() -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "max-age=300"],
            body: .init(byteBuffer: description))
    }

    private func exposition() -> Response {
        Response(
            status: .ok, headers: [.contentType: PrometheusRegistry.contentType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: registry.text)))
    }
}
