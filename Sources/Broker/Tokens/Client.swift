public import Secrets

/// The registration at a provider that this installation acts as.
public struct Client: Sendable {
    public let id: String
    /// `nil` for public clients.
    public let secret: ClientSecret?

    public init(id: String, secret: ClientSecret?) {
        self.id = id
        self.secret = secret
    }
}
