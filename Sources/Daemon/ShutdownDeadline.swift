import Foundation
package import Logging
import ServiceLifecycle

/// Ends the process ten seconds after it was asked to stop, whatever is still running.
package final class ShutdownDeadline: ServiceLifecycle.Service {
    private let logger: Logger
    private let close: @Sendable () async -> Void

    /// - Parameter close: cuts off what still runs, and leaves files as they should be.
    package init(logger: Logger, close: @escaping @Sendable () async -> Void) {
        self.logger = logger
        self.close = close
    }

    /// Returns once the process is asked to stop, and waits by itself.
    package func run() async throws {
        try? await gracefulShutdown()
        // Not a child: this ends, and the others are asked to stop, while it waits.
        Task.detached { [self] in
            try? await Task.sleep(for: .seconds(10))
            logger.error("stopped after ten seconds: what still ran was cut off")
            await close()
            LogOutput.standardError.flush()
            // Not `exit`, which would run what C libraries registered while other threads still use them.
            _exit(0)
        }
    }
}
