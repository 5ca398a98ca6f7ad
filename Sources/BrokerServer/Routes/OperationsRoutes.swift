import Broker
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore
import PrometheusMetrics

/// The routes that load balancers and operators ask.
struct OperationsRoutes: Sendable {
    let broker: Broker
    let metrics: BrokerMetrics

    private struct Status: Encodable { let status: String }

    /// For everybody.
    var routes: [Route] {
        [
            health, Route(template: "/readyz", handlers: [.get: { _, _ in try await readiness(for: .anybody) }]),
            Route(template: "/openapi.json", handlers: [.get: { _, _ in Self.description }]),
        ]
    }

    /// For a listener that operators alone reach.
    var operatorRoutes: [Route] {
        [
            health, Route(template: "/readyz", handlers: [.get: { _, _ in try await readiness(for: .operators) }]),
            scrape,
        ]
    }

    private var health: Route {
        Route(template: "/healthz", handlers: [.get: { _, _ in .json(Status(status: "ok")) }])
    }

    /// The address that Prometheus reads.
    var scrape: Route { Route(template: "/metrics", handlers: [.get: { _, _ in exposition() }]) }

    /// The API in OpenAPI 3.1.
    private static var description: Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "max-age=300"],
            body: .init(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
    }

    private func exposition() -> Response {
        Response(
            status: .ok, headers: [.contentType: PrometheusRegistry.contentType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: metrics.registry.text)))
    }

    /// The one who asks whether the broker is ready.
    private enum Asker {
        case anybody
        case operators
    }

    /// Tells operators alone why the broker is not ready: others need not know its insides.
    private func readiness(for asker: Asker) async throws -> Response {
        do {
            try await broker.check()
        } catch {
            var problem = Problem.unavailable(error)
            if asker == .operators { problem.detail = "the store cannot write: \(error.reason)" }
            throw problem
        }
        return .json(Status(status: "ready"))
    }
}
