import Catalog
import Secrets

extension UnredeemedToken {
    /// `nil` where the provider has no revocation of what was granted.
    init?(_ credentials: Credentials, _ provider: Provider) {
        guard provider.hasRevocation else { return nil }
        let type = provider.profile.revocation.tokenType
        // RFC 7009 § 2.1: who loses the refresh token loses the access tokens of its grant too.
        if type != .accessToken, let refreshToken = credentials.refreshToken {
            self.init(
                refreshToken.expose { AccessOrRefreshToken($0) }, hint: "refresh_token", values: provider.values)
        } else if type != .refreshToken {
            self.init(
                credentials.accessToken.expose { AccessOrRefreshToken($0) }, hint: "access_token",
                values: provider.values)
        } else {
            return nil
        }
    }
}
