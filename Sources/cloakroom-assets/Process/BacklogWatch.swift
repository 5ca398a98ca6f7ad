import AssetServer
import AssetStore
import Assets
import ServiceLifecycle

/// Tells the metrics now and then how many operations wait for their turn, which only the store knows.
struct BacklogWatch: ServiceLifecycle.Service {
    let store: SQLiteAssetStore
    let metrics: IngestionMetrics

    private static let interval = Duration.seconds(5)

    /// Watches until the group that it belongs to stops.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if let count = try? await store.waitingOperationCount() { metrics.waiting(count) }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}
