import Catalog
import Secrets

extension TokenToRevoke {
    /// `nil` where the provider has no revocation of what was granted.
    init?(_ credentials: Credentials, _ provider: Provider) {
        guard provider.hasRevocation else { return nil }
        let type = provider.profile.revocation.tokenType
        // RFC 7009 § 2.1: who loses the refresh token loses the access tokens of its grant too.
        if type != .accessToken, let refreshToken = credentials.refreshToken {
            self.init(
                RevokedToken(refreshToken.expose { $0 }), hint: "refresh_token", values: provider.values)
        } else if type != .refreshToken {
            self.init(
                RevokedToken(credentials.accessToken.expose { $0 }), hint: "access_token", values: provider.values)
        } else {
            return nil
        }
    }
}
