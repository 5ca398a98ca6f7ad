public import Formats
public import Transport

/// Sends requests to providers, in the order that their causes give them. `FairTransport` in service.
public protocol ProviderTransport: HTTPTransport {
    /// Sends a request as soon as its cause allows, and gives the answer whatever its status. Follows no redirect.
    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse

    /// True if so many requests of flows wait, of all tenants, that a single tenant's may be too many.
    var isBusy: Bool { get }

    /// Tells whether so many requests of a tenant's flows wait that nothing should be begun that needs one more.
    func isBusy(for tenant: TenantID) -> Bool
}

extension ProviderTransport {
    /// For transports in which nothing waits.
    public var isBusy: Bool { false }
    /// For transports that do not tell tenants apart.
    public func isBusy(for tenant: TenantID) -> Bool { isBusy }

    /// Sends a request of no tenant as the broker's own.
    public func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        try await send(ProviderRequest(request))
    }
}
