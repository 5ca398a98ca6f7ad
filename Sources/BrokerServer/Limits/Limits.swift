import Broker
import Formats
import HTTPService
import Hummingbird

/// The rates at which one tenant or client network may call: requests a second, with bursts of ten times that. 0: no
/// limit. Beyond it, the answer is 429 `rate_limited`.
public struct Limits: Sendable {
    /// Calls of `assets:authorize`, counted once their token is verified: nobody uses up another tenant's share.
    public var authorizePerTenant: Double
    /// Callbacks at `/oauth/callback…`. Beyond the limit, the browser gets a page and the state stays unspent.
    public var callbackPerAddress: Double
    /// Calls of `assets:oauthCredentials`, which need no token.
    public var redeemPerAddress: Double
    /// Calls of `assets:refreshCredentials`, counted once their token is verified.
    public var refreshPerTenant: Double
    /// Calls of `assets:revokeCredentials`, counted once their token is verified.
    public var revokePerTenant: Double
    /// True: the rates are those of all brokers of one database together, and each lets its part of them through.
    public var isShared = false

    /// No limits unless given.
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
    /// Tells whether callers are told apart by their addresses: behind a proxy that is not trusted, all have one.
    public var countsAddresses: Bool { callbackPerAddress > 0 || redeemPerAddress > 0 }
}

/// The limits at work: those for tenants by their names, those for clients by their networks.
struct RateLimits: Sendable {
    let authorize: RateLimit
    let callback: RateLimit
    let redeem: RateLimit
    let refresh: RateLimit
    let revoke: RateLimit

    init(_ limits: Limits, share: LimitShare, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        let share = limits.isShared ? share : nil
        authorize = RateLimit("tenant", perSecond: limits.authorizePerTenant, share: share, now: now)
        callback = RateLimit("address", perSecond: limits.callbackPerAddress, share: share, now: now)
        redeem = RateLimit("address", perSecond: limits.redeemPerAddress, share: share, now: now)
        refresh = RateLimit("tenant", perSecond: limits.refreshPerTenant, share: share, now: now)
        revoke = RateLimit("tenant", perSecond: limits.revokePerTenant, share: share, now: now)
    }
}
