/// Sends one request for one response. Knows no OAuth; follows no redirect.
public protocol HTTPTransport: Sendable {
    /// The server's answer, whatever its status. Throws where none came.
    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse
}
