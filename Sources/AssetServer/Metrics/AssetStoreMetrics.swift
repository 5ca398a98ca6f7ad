import CoreMetrics
import HTTPService
import PrometheusMetrics

/// Metrics of the database's writer.
public struct AssetStoreMetrics: Sendable {
    private static let size = "cloakroom_store_commit_operations"
    private static let duration = "cloakroom_store_commit_duration_seconds"
    private static let failures = "cloakroom_store_failures_total"
    private static let refusals = "cloakroom_store_refusals_total"

    private let size: Recorder
    private let duration: Timer
    private let failures: Counter
    private let refusals: Counter

    init(_ factory: any MetricsFactory) {
        size = Recorder(label: Self.size, factory: factory)
        duration = Timer(label: Self.duration, dimensions: [], factory: factory)
        failures = Counter(label: Self.failures, factory: factory)
        refusals = Counter(label: Self.refusals, factory: factory)
    }

    /// Counts one commit.
    ///
    /// - Parameters:
    ///   - operations: those that shared it.
    ///   - time: of the whole transaction, the commit to the disk included.
    public func committed(_ operations: Int, in time: Duration) {
        size.record(operations)
        duration.recordNanoseconds(time.nanoseconds)
    }

    /// Counts a transaction that was rolled back.
    public func failed() { failures.increment() }

    /// Counts a call that was refused since too many waited.
    public func refused() { refusals.increment() }

    static let families = [
        Family(size, .histogram([1, 2, 4, 8, 16, 32, 64, 128]), help: "Calls that shared one commit."),
        Family(
            duration, .histogram([0.0001, 0.00025] + Family.seconds),
            help: "Time of one transaction, its commit to the disk included."),
        Family(failures, .counter, help: "Transactions that failed: the disk, a lock, a fault."),
        Family(refusals, .counter, help: "Calls refused at once since too many waited."),
    ]
}
