import Broker
import Formats
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

/// The limits at work. An address that nobody knows shares one bucket with all such.
struct RateLimits: Sendable {
    let authorize: RateLimit<TenantID>
    let callback: RateLimit<IPAddress?>
    let redeem: RateLimit<IPAddress?>
    let refresh: RateLimit<TenantID>
    let revoke: RateLimit<TenantID>

    init(_ limits: Limits, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        authorize = RateLimit("tenant", perSecond: limits.authorizePerTenant, now: now)
        callback = RateLimit("address", perSecond: limits.callbackPerAddress, now: now)
        redeem = RateLimit("address", perSecond: limits.redeemPerAddress, now: now)
        refresh = RateLimit("tenant", perSecond: limits.refreshPerTenant, now: now)
        revoke = RateLimit("tenant", perSecond: limits.revokePerTenant, now: now)
    }
}

extension RateLimit where Key == IPAddress? {
    /// The handler, for as many requests of one client's network as the limit lets through.
    func around(
        _ handler: @escaping Handler,
        refusing refuse: @escaping @Sendable (Problem, Request, Context) throws -> Response = { problem, _, _ in
            throw problem
        }
    ) -> Handler {
        guard isOn else { return handler }
        return { request, context, path in
            try await admit(context.clientAddress(of: request)?.network) {
                try await handler(request, context, path)
            } refusing: {
                try refuse($0, request, context)
            }
        }
    }
}
