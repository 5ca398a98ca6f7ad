import Broker
import CurlTransport
import Daemon
import Formats
import Transport

/// Asks whether a broker runs at an address, for commands that must not run beside one.
enum HealthCheck {
    /// True if something answers 200 within two seconds.
    ///
    /// - Parameter url: a broker's `/healthz`.
    static func answers(_ url: String) async -> Bool {
        var configuration = CurlTransport.Configuration()
        configuration.allowInsecure = true
        configuration.allowPrivateAddresses = true
        // Somebody waits for the command, and a broker on this machine answers in milliseconds.
        configuration.timeout = .seconds(2)
        let transport = CurlTransport(configuration: configuration)
        defer { transport.shutdown() }
        return (try? await transport.send(TransportRequest(method: .get, url: url)))?.status == 200
    }

    /// Throws where a broker answers at the configuration's address, which the caller needs.
    static func refuseRunningBroker(
        _ configuration: Configuration, whose purpose: String, hint: String
    ) async throws(Refusal) {
        let address = configuration.address.reachable
        guard await answers("http://\(address)/healthz") else { return }
        throw Refusal("a broker answers at \(address), \(purpose)", hint: hint)
    }
}
