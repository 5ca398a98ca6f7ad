import Broker
import CurlTransport
import Transport

/// Sends what is meant for a provider to the simulator instead: the host travels in the path.
struct Rerouting: ProviderTransport {
    let transport: CurlTransport
    /// Without a slash at the end.
    let simulator: String

    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        var http = request.http
        http.url = simulator + Self.path(of: http.url)
        // The simulator has no TLS, in which it would be shown.
        if http.certificate != nil {
            http.headers.append(("Simulator-Certificate", "shown"))
            http.certificate = nil
        }
        return try await transport.send(http)
    }

    /// `https://host/path` as the simulator has it: `/https/host/path`.
    static func path(of url: String) -> String {
        let scheme = url.prefix { $0 != ":" }
        return "/\(scheme)/" + url.dropFirst(scheme.count + 3)
    }
}
