public import Formats
public import Secrets

/// The credentials of a source, as a redemption or a refresh gave them. Kept sealed.
public struct AssetCredentials: Sendable {
    public var accessToken: AccessToken
    /// `nil`: a token of the user's own, or of a provider without refreshing; it is never refreshed.
    public var refreshToken: RefreshToken?
    /// `nil` where nobody said.
    public var expiresAt: Timestamp?

    public init(accessToken: AccessToken, refreshToken: RefreshToken?, expiresAt: Timestamp?) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.expiresAt = expiresAt
    }
}
