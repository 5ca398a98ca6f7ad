public import Formats
public import Secrets

extension Use {
    /// The address at which a person consents: its query holds `state`, which only the browser that connects may see.
    public enum ConsentAddress {}
}

/// A connection that waits for its person's consent.
public struct StartedConnection: Sendable {
    /// The address to send the browser to, and nobody else.
    public let address: Secret<Use.ConsentAddress>
    /// The broker's name of this connection, in its trail and for `BrokerClient.flow`.
    public let flow: String
    /// The moment from which on it is too late to consent.
    public let expiresAt: Timestamp

    init?(_ members: [String: JSONValue]) {
        guard let address = members["authorizationUrl"]?.string, let flow = members["flow"]?.string,
            let expiresAt = members["expiresAt"]?.timestamp
        else { return nil }
        self.address = Secret(address)
        self.flow = flow
        self.expiresAt = expiresAt
    }
}
