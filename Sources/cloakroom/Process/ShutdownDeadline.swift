import CurlTransport
import Foundation
import SQLiteStore
import ServiceLifecycle

/// Ends the process ten seconds after it was asked to stop, whatever is still running.
struct ShutdownDeadline: ServiceLifecycle.Service {
    let store: SQLiteStore
    let transport: CurlTransport

    func run() async throws {
        try? await gracefulShutdown()
        // Not a child: this ends, and the others are asked to stop, while it waits.
        Task.detached {
            try? await Task.sleep(for: .seconds(10))
            // Whoever waits for a provider fails now, and has a moment to be told.
            await transport.shutdown()
            try? await Task.sleep(for: .milliseconds(300))
            await store.close()
            exit(0)
        }
    }
}
