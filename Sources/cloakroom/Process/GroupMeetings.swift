import Broker
import HTTPService
import Logging
import ServiceLifecycle

/// Meets the other brokers of the database, every second.
struct GroupMeetings: ServiceLifecycle.Service {
    let group: BrokerGroup
    /// Told how many there are.
    let share: LimitShare
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var wasWell = true
            while !Task.isCancelled {
                do throws(StoreError) {
                    share.set(try await group.meet())
                    wasWell = true
                } catch {
                    // Once: requests tell the same.
                    if wasWell {
                        logger.warning("the other brokers cannot be met", metadata: ["reason": "\(error.reason)"])
                    }
                    wasWell = false
                }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
