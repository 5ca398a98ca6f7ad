import Broker
import Formats
import HTTPService
import Hummingbird

/// How often one tenant or address may call: requests a second, bursts of ten times that. 0: as often as it likes.
public struct Limits: Sendable {
    public var authorizePerTenant: Double
    public var callbackPerAddress: Double
    public var redeemPerAddress: Double
    public var refreshPerTenant: Double
    public var revokePerTenant: Double

    public init(
        authorizePerTenant: Double = 0, callbackPerAddress: Double = 0, redeemPerAddress: Double = 0,
        refreshPerTenant: Double = 0, revokePerTenant: Double = 0
    ) {
        self.authorizePerTenant = authorizePerTenant
        self.callbackPerAddress = callbackPerAddress
        self.redeemPerAddress = redeemPerAddress
        self.refreshPerTenant = refreshPerTenant
        self.revokePerTenant = revokePerTenant
    }
}

extension Limits {
    /// Tells whether callers are told apart by their addresses.
    public var countsAddresses: Bool { callbackPerAddress > 0 || redeemPerAddress > 0 }
}

/// The limits at work: those for tenants by their names, those for clients by their networks.
struct RateLimits: Sendable {
    let authorize: RateLimit
    let callback: RateLimit
    let redeem: RateLimit
    let refresh: RateLimit
    let revoke: RateLimit

    init(_ limits: Limits, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        authorize = RateLimit("tenant", perSecond: limits.authorizePerTenant, now: now)
        callback = RateLimit("address", perSecond: limits.callbackPerAddress, now: now)
        redeem = RateLimit("address", perSecond: limits.redeemPerAddress, now: now)
        refresh = RateLimit("tenant", perSecond: limits.refreshPerTenant, now: now)
        revoke = RateLimit("tenant", perSecond: limits.revokePerTenant, now: now)
    }
}
