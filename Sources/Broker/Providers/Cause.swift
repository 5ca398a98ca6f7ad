/// For whom a provider is asked, and whether the call could be made again: what the order of requests goes by.
public enum Cause: Hashable, Sendable {
    /// A claimed flow of a tenant: its code can be sent once and a person waits, so it waits for its turn however long
    /// that takes, and is never refused.
    case flow(TenantID)
    /// A call that the tenant's own caller can make again: it waits for its turn until then, and is refused.
    case call(TenantID, until: ContinuousClock.Instant)
    /// An operator's order.
    case operators
    /// The broker's own call, which serves all tenants alike: keys of callers' tokens, the metadata of a provider.
    case broker

    /// The same once the provider was asked: it may have rotated a refresh token by then, and what is left to do must
    /// not be refused.
    var begun: Cause {
        if case .call(let tenant, _) = self { .flow(tenant) } else { self }
    }

    /// The account whose share it counts in.
    var account: Account {
        switch self {
        case .flow(let tenant), .call(let tenant, _): .tenant(tenant)
        case .operators: .operators
        case .broker: .broker
        }
    }

    /// Nobody may ask for it again.
    var isBegun: Bool {
        switch self {
        case .flow, .broker: true
        case .call, .operators: false
        }
    }

    /// Whoever has a share of the requests to providers.
    enum Account: Hashable, Sendable {
        case tenant(TenantID)
        case operators
        case broker
    }
}

/// The numbers of requests that may be on their way to providers at once, and that may wait.
public struct ProviderShares: Sendable {
    public var inAll: Int
    public var perTenant: Int
    /// A host with its port.
    public var perHost: Int
    /// Of all, for tenants that have none running.
    public var kept: Int
    /// Calls that can be made again and wait, of all tenants. One tenant gets a fourth of what is left of it.
    public var waitingCalls: Int
    /// Requests of one tenant's flows that wait, beyond which its further callbacks are put off before their state is
    /// spent.
    public var waitingOfFlows: Int

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
