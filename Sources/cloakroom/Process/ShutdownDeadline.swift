import CurlTransport
import Foundation
import Logging
import SQLiteStore
import ServiceLifecycle

/// Ends the process ten seconds after it was asked to stop, whatever is still running. The exit status is 1 then.
struct ShutdownDeadline: ServiceLifecycle.Service {
    let store: SQLiteStore
    let transport: CurlTransport
    let logger: Logger

    func run() async throws {
        try? await gracefulShutdown()
        // Not a child: this ends, and the others are asked to stop, while it waits.
        Task.detached {
            try? await Task.sleep(for: .seconds(10))
            // Whoever waits for a provider fails now, and has a moment to be told.
            await transport.shutdown()
            try? await Task.sleep(for: .milliseconds(300))
            await store.close()
            logger.error("stopped after ten seconds: what still ran was cut off")
            LogOutput.standardError.flush()
            // Not `exit`, which would run what C libraries registered while other threads still use them.
            _exit(1)
        }
    }
}
