package import Logging
package import ServiceLifecycle
import UnixSignals

/// The services of a process, from their start to the signal that ends them.
package enum ServiceRun {
    /// Runs until SIGTERM or SIGINT, or until a service fails, then lets what runs finish, for at most ten seconds.
    ///
    /// - Parameters:
    ///   - services: in the order in which they start. They stop in the other.
    ///   - cutOff: cuts off what still runs after ten seconds, and leaves files as they should be.
    ///   - close: closes what the services used; called once all of them have ended.
    package static func run(
        _ services: [any ServiceLifecycle.Service], logger: Logger, cutOff: @escaping @Sendable () async -> Void,
        close: () async -> Void
    ) async throws {
        let all = services + [ShutdownDeadline(logger: logger, close: cutOff)]
        let configuration = ServiceGroupConfiguration(
            services: all.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
            // Its own lines tell an operator nothing that ours do not.
            logger: Logger(label: "") { _ in SwiftLogNoOpLogHandler() })
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            await close()
            throw error
        }
        await close()
        logger.notice("stopped")
    }
}
