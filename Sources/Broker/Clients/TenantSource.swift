import Catalog

/// A source type with OAuth as one tenant may use it: with the client that its flows act as.
struct TenantSource: Sendable {
    let sourceType: SourceType.ID
    let profile: OAuthProfile
    let client: Client
}
