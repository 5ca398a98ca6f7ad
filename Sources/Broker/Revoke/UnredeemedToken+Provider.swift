import Catalog
import Secrets

extension UnredeemedToken {
    /// The token whose revocation ends the most of the grant; `nil` where the provider revokes none of what it granted.
    init?(_ credentials: Credentials, _ provider: Provider) {
        guard provider.hasRevocation else { return nil }
        let type = provider.profile.revocation.tokenType
        // RFC 7009 § 2.1: with a refresh token, the provider should revoke the access tokens of its grant too.
        if type != .accessToken, let refreshToken = credentials.tokens.refreshToken {
            self.init(
                refreshToken.expose { AccessOrRefreshToken($0) }, hint: "refresh_token", values: provider.values)
        } else if type != .refreshToken {
            self.init(
                credentials.tokens.accessToken.expose { AccessOrRefreshToken($0) }, hint: "access_token",
                values: provider.values)
        } else {
            return nil
        }
    }
}
