import Catalog

/// A source type with OAuth as one tenant may use it, with the client that was set for it.
struct TenantEntry: Sendable {
    let sourceType: SourceType.ID
    let profile: OAuthProfile
    /// `nil` only where the broker becomes a client by itself (`OAuthProfile.resourceParameter`).
    let client: Client?
}

/// A source type with OAuth as one tenant may use it: with the client that its flows act as.
struct TenantSource: Sendable {
    let sourceType: SourceType.ID
    let profile: OAuthProfile
    let client: Client
}
