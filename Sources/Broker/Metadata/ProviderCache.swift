import Secrets
import Transport

/// Documents fetched from providers, by their issuer or address.
typealias ProviderCache<Value: Sendable> = SingleFlightCache<String, Value, ProviderDirectoryError, Cause.Account>

extension SingleFlightCache where Key == String, Failure == ProviderDirectoryError, Party == Cause.Account {
    /// - Parameters:
    ///   - fresh: the time before a value is fetched again.
    ///   - stale: the time for which it serves where it cannot be fetched again.
    ///   - failure: the time for which a provider that is down is not asked again.
    ///   - servingStale: told where a fetch failed and the earlier value is served on: the callers get no error then.
    static func forProviders(
        fresh: Duration, stale: Duration, failure: Duration = .seconds(10),
        capacity: Int = 1000, now: @escaping @Sendable () -> ContinuousClock.Instant,
        servingStale: @escaping @Sendable (_ address: String, ProviderDirectoryError) -> Void
    ) -> SingleFlightCache {
        SingleFlightCache(
            Ages(fresh: fresh, stale: stale, failure: failure, refetch: .seconds(60)),
            // Parameters of a flow may be part of an issuer, so their number is not up to us.
            capacity: capacity,
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
    /// The party for which a fetch runs, so that other tenants do not wait behind all that this one began; `nil`:
    /// everybody.
    var party: Cause.Account? { self == .broker ? nil : self }
}
