import Broker
import CurlTransport

/// Asks whether a broker answers.
enum HealthCheck {
    static func answers(_ url: String) async -> Bool {
        var configuration = CurlTransport.Configuration()
        configuration.allowInsecure = true
        configuration.allowPrivateAddresses = true
        configuration.timeout = .seconds(2)
        let transport = CurlTransport(configuration: configuration)
        defer { transport.shutdown() }
        return (try? await transport.send(ProviderRequest(method: .get, url: url)))?.status == 200
    }
}
