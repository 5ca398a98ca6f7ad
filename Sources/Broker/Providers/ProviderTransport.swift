public import Transport

/// Sends requests to providers, in the order that their causes have.
public protocol ProviderTransport: HTTPTransport {
    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse

    /// Tells whether so many requests of flows wait that one tenant's alone may be too many.
    var isBusy: Bool { get }

    /// Tells whether so many requests of a tenant's flows wait that nothing should be begun that needs one more.
    func isBusy(for tenant: TenantID) -> Bool
}

extension ProviderTransport {
    public var isBusy: Bool { false }
    public func isBusy(for tenant: TenantID) -> Bool { isBusy }

    /// What nobody in particular asks for is the broker's own.
    public func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        try await send(ProviderRequest(request))
    }
}
