public import BrokerClient
import Formats
import Secrets

/// The source types that the broker knows, asked for tenant by tenant and kept for a few minutes.
public struct SourceTypesAtBroker: Sendable {
    private let broker: BrokerClient
    private let lists: SingleFlightCache<TenantID, [BrokerSourceType], BrokerError, Never>

    /// - Parameter now: a monotonic clock.
    public init(_ broker: BrokerClient, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.broker = broker
        // What changes is whether a client is set, which people look at right after they have set it. An earlier list
        // serves while the broker is away.
        lists = SingleFlightCache(
            .init(fresh: .seconds(120), stale: .seconds(3600), failure: .seconds(5)), capacity: 1000, now: now)
    }

    /// `nil` where the broker does not answer, and did not lately.
    func list(for tenant: TenantID) async -> [BrokerSourceType]? {
        let broker = broker
        return try? await lists.value(for: tenant) { () async throws(BrokerError) in
            try await broker.sourceTypes(of: tenant)
        }
    }
}
