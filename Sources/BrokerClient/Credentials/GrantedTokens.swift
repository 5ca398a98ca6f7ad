public import Formats
public import Secrets

/// The tokens of one grant, as they have to be kept.
public struct GrantedTokens: Sendable, Redacted {
    public var accessToken: AccessToken
    /// `nil`: there is no refreshing.
    public var refreshToken: RefreshToken?
    /// `nil` where nobody said.
    public var expiresAt: Timestamp?

    public init(accessToken: AccessToken, refreshToken: RefreshToken?, expiresAt: Timestamp?) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.expiresAt = expiresAt
    }

    /// The life that a token must have left to be used, in seconds.
    static let margin: Int64 = 60

    /// True if the access token ends later than in a minute, or nobody knows when.
    func isFresh(at now: Timestamp) -> Bool {
        expiresAt.map { now.adding(seconds: Self.margin) < $0 } ?? true
    }
}
