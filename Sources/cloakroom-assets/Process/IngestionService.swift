import Assets
import ServiceLifecycle

/// The work on operations, from the start of the process to its end.
struct IngestionService: ServiceLifecycle.Service {
    private let ingestions: Ingestions

    init(_ ingestions: Ingestions) { self.ingestions = ingestions }

    /// Runs until the group that it belongs to stops. What is in work then goes on at the next start.
    func run() async throws {
        await withGracefulShutdownHandler {
            await ingestions.run()
        } onGracefulShutdown: {
            Task { await ingestions.stop() }
        }
    }
}
