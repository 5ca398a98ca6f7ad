public import Catalog
public import Formats
public import Secrets

/// A tenant's own client as a store keeps it.
public struct KeptClient: Sendable {
    public let sourceType: SourceType.ID
    public let id: String
    public let secret: Sealed<ClientSecret>?
    /// In place of the source type's own.
    public let scopes: [String]?
    public let parameters: [String: String]
    public let changedAt: Timestamp

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
