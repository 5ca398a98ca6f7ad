import Formats
import Transport

/// Gives each request the time that its cause has left: many requests, each in time, can take minutes in a row, and a
/// person waits.
struct DeadlineTransport: ProviderTransport {
    let transport: any ProviderTransport
    let now: @Sendable () -> ContinuousClock.Instant

    /// Throws `timedOut`, and asks nobody, where there is none left. The time that the request waits for its turn is its
    /// cause's own (`Cause.call`), and comes in addition.
    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        guard let end = request.cause.end else { return try await transport.send(request) }
        let left = now().duration(to: end)
        guard left > .zero else { throw .timedOut }
        var request = request
        request.http.timeout = request.http.timeout.map { min($0, left) } ?? left
        return try await transport.send(request)
    }

    var isBusy: Bool { transport.isBusy }

    func isBusy(for tenant: TenantID) -> Bool { transport.isBusy(for: tenant) }
}
