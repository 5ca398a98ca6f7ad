import Broker
import HTTPTypes
import Hummingbird

/// What load balancers and operators ask.
struct OperationsRoutes: Sendable {
    let broker: Broker

    private struct Status: Encodable { let status: String }

    var routes: [Route] {
        [
            Route(template: "/healthz", handlers: [.get: { _, _, _ in .json(Status(status: "ok")) }]),
            Route(template: "/readyz", handlers: [.get: readiness]),
        ]
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
