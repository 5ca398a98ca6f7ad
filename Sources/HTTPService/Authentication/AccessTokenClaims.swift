/// The claims of a verified access token about its bearer.
package struct AccessTokenClaims: Sendable {
    /// `sub` (RFC 7519 § 4.1.2); `nil` where the token has none.
    package let subject: String?
    /// `jti` (RFC 7519 § 4.1.7); `nil` likewise.
    package let tokenID: String?
    let tenants: [String]
    let scopes: [String]
    let expiresAt: Double
}
