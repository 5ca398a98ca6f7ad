import Broker
import HTTPTypes
import Hummingbird
import NIOCore
import PrometheusMetrics

/// What load balancers and operators ask.
struct OperationsRoutes: Sendable {
    let broker: Broker
    let figures: Figures

    private struct Status: Encodable { let status: String }

    var routes: [Route] {
        [
            Route(template: "/healthz", handlers: [.get: { _, _, _ in .json(Status(status: "ok")) }]),
            Route(template: "/readyz", handlers: [.get: readiness]),
            Route(template: "/openapi.json", handlers: [.get: { _, _, _ in Self.description }]),
            Route(template: "/metrics", handlers: [.get: { _, _, _ in metrics() }]),
        ]
    }

    /// The API in OpenAPI 3.1.
    private static var description: Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "max-age=300"],
            body: .init(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
    }

    private func metrics() -> Response {
        Response(
            status: .ok, headers: [.contentType: PrometheusRegistry.contentType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: figures.registry.text)))
    }

    @Sendable private func readiness(
        _ request: Request, _ context: Context, _ path: PathNames
    ) async throws -> Response {
        do {
            try await broker.check()
        } catch {
            throw Problem.unavailable
        }
        return .json(Status(status: "ready"))
    }
}
