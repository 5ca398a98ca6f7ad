public import Formats

/// The one for whom a provider is asked, and whether the call could be made again: the order of requests depends on
/// both.
public enum Cause: Hashable, Sendable {
    /// A claimed flow of a tenant: its code can be sent once and a person waits, so it waits for its turn however long
    /// that takes, and is never refused.
    case flow(TenantID)
    /// A call that the tenant's caller can make again: it waits for its turn until then, and is refused after. Nothing of
    /// it goes on after `end`, where it has one.
    case call(TenantID, until: ContinuousClock.Instant, end: ContinuousClock.Instant? = nil)
    /// An operator's order: it waits behind flows, and is never refused.
    case operators
    /// The broker's own call, which serves all tenants alike: keys of callers' tokens, the metadata of a provider.
    case broker

    /// The same cause once the provider was asked: it may have rotated a refresh token by then, so the rest of the call
    /// must not be refused.
    var begun: Cause {
        if case .call(let tenant, _, _) = self { .flow(tenant) } else { self }
    }

    /// The account whose share it counts in.
    var account: Account {
        switch self {
        case .flow(let tenant), .call(let tenant, _, _): .tenant(tenant)
        case .operators: .operators
        case .broker: .broker
        }
    }

    /// True if nobody can make the call again, so that it goes first.
    var isBegun: Bool {
        switch self {
        case .flow, .broker: true
        case .call, .operators: false
        }
    }

    /// The moment after which nothing of it goes on; `nil`: each request has its own time.
    var end: ContinuousClock.Instant? {
        if case .call(_, _, let end) = self { end } else { nil }
    }

    /// Tells whether nothing of it goes on any more.
    func isOver(at now: ContinuousClock.Instant) -> Bool { end.map { $0 <= now } ?? false }

    /// An owner of a share of the requests to providers.
    enum Account: Hashable, Sendable {
        case tenant(TenantID)
        case operators
        case broker
    }
}

/// The numbers of requests that may be on their way to providers at once, and of those that may wait
/// (`provider` in the configuration).
public struct ProviderShares: Sendable {
    /// Requests on their way, of all tenants and to all hosts.
    public var inAll: Int
    /// Requests of one tenant on their way (`provider.callsPerTenant`).
    public var perTenant: Int
    /// Requests to one host with its port on their way (`provider.callsPerHost`).
    public var perHost: Int
    /// The part of `inAll` that is kept for tenants that have none on their way.
    public var kept: Int
    /// Calls that can be made again and wait, of all tenants. One tenant gets a fourth of the places that are free.
    public var waitingCalls: Int
    /// Requests of one tenant's flows that wait, beyond which its further callbacks are put off before their state is
    /// spent.
    public var waitingOfFlows: Int

    /// The defaults are for one process; the transport has to take `inAll` requests at once.
    public init(
        inAll: Int = 64, perTenant: Int = 48, perHost: Int = 48, kept: Int = 8, waitingCalls: Int = 4096,
        waitingOfFlows: Int = 256
    ) {
        self.inAll = inAll
        self.perTenant = perTenant
        self.perHost = perHost
        self.kept = kept
        self.waitingCalls = waitingCalls
        self.waitingOfFlows = waitingOfFlows
    }
}
