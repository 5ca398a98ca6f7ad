import Assets
import Formats
import Transport

/// Reads pages of the web as its sites want it: within `robots.txt`, a few at once, by few redirects.
struct WebClient: Sendable {
    private let client: SourceClient
    private let robots: RobotsCache

    /// - Parameter client: one with a gate.
    init(_ client: SourceClient) {
        self.client = client
        robots = RobotsCache(client)
    }

    enum Answer: Sendable {
        /// The answer of the address to which the redirects led. `isForNow`: one of them said that it is temporary.
        case response(TransportResponse, from: WebAddress, isForNow: Bool)
        /// `robots.txt` closes an address.
        case closed(Closure)
    }

    struct Closure: Sendable {
        let address: WebAddress
        /// The site could not tell its rules.
        let isForNow: Bool
    }

    /// Asks for an address, and for those that it redirects to. Each is checked as the first: by the transport, which
    /// knows where it leads, and by the rules of its site.
    func get(
        _ address: WebAddress, headers: [(name: String, value: String)] = []
    ) async throws(SourceFault) -> Answer {
        var (address, isForNow) = (address, false)
        for _ in 0...Redirect.most {
            let rules = try await robots.rules(for: address)
            guard rules.allow(address) else { return .closed(Closure(address: address, isForNow: rules.areUnknown)) }
            let response = try await client.send(Self.request(for: address, headers: headers))
            guard let target = Redirect.target(of: response, from: address) else {
                return .response(response, from: address, isForNow: isForNow)
            }
            address = target
            isForNow = isForNow || Redirect.isTemporary(response)
        }
        throw .rejected("\(address.url.host) redirects more than \(Redirect.most) times in a row")
    }

    static func request(
        for address: WebAddress, headers: [(name: String, value: String)] = []
    ) -> TransportRequest {
        let headers = [("user-agent", RobotsRules.productToken), ("accept", "*/*")] + headers
        return TransportRequest(method: .get, url: address.text, headers: headers)
    }
}
