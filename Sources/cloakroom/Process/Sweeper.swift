import Broker
import Logging
import ServiceLifecycle

/// Deletes what has expired, every half minute.
struct Sweeper: ServiceLifecycle.Service {
    let broker: Broker
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(StoreError) {
                    try await broker.sweep()
                } catch {
                    logger.error("the store cannot be swept", metadata: ["reason": "\(error.reason)"])
                }
                try? await Task.sleep(for: .seconds(30))
            }
        }
    }
}
