import CurlTransport
import Foundation
import Logging
import SQLiteStore
import Secrets
import ServiceLifecycle

/// Ends the process ten seconds after it was asked to stop, whatever is still running.
final class ShutdownDeadline: ServiceLifecycle.Service {
    private let store: SQLiteStore
    private let transport: CurlTransport
    private let logger: Logger

    init(store: SQLiteStore, transport: CurlTransport, logger: Logger) {
        self.store = store
        self.transport = transport
        self.logger = logger
    }

    func run() async throws {
        try? await gracefulShutdown()
        // Not a child: this ends, and the others are asked to stop, while it waits.
        Task.detached { [self] in
            try? await Task.sleep(for: .seconds(10))
            logger.error("stopped after ten seconds: what still ran was cut off")
            // Whoever waits for a provider fails now, and has a moment to be told.
            await transport.shutdown()
            try? await Task.sleep(for: .milliseconds(300))
            await store.close()
            LogOutput.standardError.flush()
            // Not `exit`, which would run what C libraries registered while other threads still use them.
            _exit(0)
        }
    }
}
