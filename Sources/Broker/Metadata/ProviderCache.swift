import Secrets
import Transport

/// What was fetched from providers, by its address.
typealias ProviderCache<Value: Sendable> = SingleFlightCache<String, Value, ProviderDirectoryError, Cause.Account>

extension SingleFlightCache where Key == String, Failure == ProviderDirectoryError, Party == Cause.Account {
    /// - Parameters:
    ///   - fresh: how long a value serves before it is fetched again.
    ///   - stale: how long it serves where it cannot be.
    ///   - servingStale: told where a fetch failed and the value of before serves on: whoever waits gets no error then.
    static func forProviders(
        fresh: Duration, stale: Duration, now: @escaping @Sendable () -> ContinuousClock.Instant,
        servingStale: @escaping @Sendable (_ address: String, ProviderDirectoryError) -> Void
    ) -> SingleFlightCache {
        SingleFlightCache(
            // A provider that is down is not asked by every flow.
            Ages(fresh: fresh, stale: stale, failure: .seconds(10), refetch: .seconds(60)),
            // Parameters of a flow may be part of an issuer, so their number is not up to us.
            capacity: 1000,
            isLasting: { failure in
                switch failure {
                // Nobody was asked: that one tenant has no turn says nothing of the provider.
                case .transport(.rateLimited), .transport(.cancelled), .transport(.overloaded): false
                default: true
                }
            }, servingStale: servingStale, now: now)
    }
}

extension Cause.Account {
    /// On whose behalf a fetch runs, so that others do not wait behind all that he has begun; `nil`: everybody's.
    var party: Cause.Account? { self == .broker ? nil : self }
}
