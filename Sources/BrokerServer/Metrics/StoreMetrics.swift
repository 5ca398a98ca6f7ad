import CoreMetrics
import HTTPService

/// Metrics of the database's writer.
public struct StoreMetrics: Sendable {
    static let size = "cloakroom_store_commit_operations"
    static let duration = "cloakroom_store_commit_duration_seconds"
    static let failures = "cloakroom_store_failures_total"
    static let refusals = "cloakroom_store_refusals_total"
    static let brokenTrail = "cloakroom_audit_trail_broken"

    private let size: Recorder
    private let duration: Timer
    private let failures: Counter
    private let refusals: Counter
    private let brokenTrail: Gauge

    init(_ factory: any MetricsFactory) {
        size = Recorder(label: Self.size, factory: factory)
        duration = Timer(label: Self.duration, dimensions: [], factory: factory)
        failures = Counter(label: Self.failures, factory: factory)
        refusals = Counter(label: Self.refusals, factory: factory)
        brokenTrail = Gauge(label: Self.brokenTrail, dimensions: [], factory: factory)
        brokenTrail.record(0)
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

    /// Counts an operation that was refused since too many waited.
    public func refused() { refusals.increment() }

    /// Sets the gauge to 1 until the process ends.
    public func trailIsBroken() { brokenTrail.record(1) }
}
