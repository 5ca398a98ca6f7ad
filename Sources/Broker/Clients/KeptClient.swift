public import Catalog
public import Formats
public import Secrets

/// A tenant's own client as a store keeps it.
public struct KeptClient: Sendable {
    /// The one source type that it is for; a tenant has at most one client for each.
    public let sourceType: SourceType.ID
    /// The `client_id` at the provider.
    public let id: String
    /// The secret, which opens for this tenant and source type alone; `nil` for a public client.
    public let secret: Sealed<ClientSecret>?
    /// The scopes to ask for in place of the source type's own; `nil`: these.
    public let scopes: [String]?
    /// Values of the source type's parameters that only the operator sets.
    public let parameters: [String: String]
    /// The moment at which it was last set.
    public let changedAt: Timestamp

    /// For `Broker.setClient`, which has checked the values, and for stores.
    public init(
        sourceType: SourceType.ID, id: String, secret: Sealed<ClientSecret>?, scopes: [String]?,
        parameters: [String: String], changedAt: Timestamp
    ) {
        self.sourceType = sourceType
        self.id = id
        self.secret = secret
        self.scopes = scopes
        self.parameters = parameters
        self.changedAt = changedAt
    }
}
