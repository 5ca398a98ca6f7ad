/// Sends one request for one response. Knows no OAuth; follows no redirect.
public protocol HTTPTransport: Sendable {
    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse
}
