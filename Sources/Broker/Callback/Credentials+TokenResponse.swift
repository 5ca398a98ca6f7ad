import Catalog
import Formats
import Secrets

extension OAuthProfile {
    /// The credentials that a token response grants, with what its redeemer should know.
    func credentials(_ tokens: TokenResponse, callback: CallbackRequest?, asked: [String]) -> Credentials {
        var warnings: [Credentials.Warning] = []
        if refreshToken == .expected, tokens.refreshToken == nil { warnings.append(.missingRefreshToken) }
        // RFC 6749 § 5.1: an answer without a scope grants what was asked. Offline access is often left out of
        // the scopes though it was granted; its absence shows in the refresh token.
        if let granted = tokens.scope.map({ Set(Scopes.split($0).map { Array($0.utf8) }) }),
            !asked.allSatisfy({ granted.contains(Array($0.utf8)) || Self.offlineScopes.contains($0) })
        {
            warnings.append(.scopeReduced)
        }
        if tokens.expiresAt == nil, !tokens.neverExpires { warnings.append(.expiryUnknown) }

        var kept = KeptExtras()
        for extra in extras.callback {
            switch callback?[extra.name] {
            case .one(let value)?, .garbled(let value)?: kept.keep(.string(value), as: extra.name, extra.pattern)
            case .repeated?: kept.refuse()
            case .absent?, nil: break
            }
        }
        kept.keep(extras.token, of: tokens.document)
        if kept.hasRefused { warnings.append(.extraRefused) }
        return Credentials(
            accessToken: tokens.accessToken, refreshToken: tokens.refreshToken, tokenType: tokens.tokenType,
            expiresAt: tokens.expiresAt, scope: tokens.scope, idToken: tokens.idToken, extras: kept.values,
            warnings: warnings)
    }
}

extension Credentials {
    /// Adds what the call after connecting gave, and the key that the tokens are bound to.
    mutating func add(_ connected: AfterConnecting, dpopKey: SigningKey?) {
        switch connected {
        case .kept(let kept):
            extras.merge(kept.values) { $1 }
            if kept.hasRefused, !warnings.contains(.extraRefused) { warnings.append(.extraRefused) }
        case .failed: warnings.append(.extrasMissing)
        }
        // RFC 9449 § 5: without the key the tokens are useless, so it goes with them.
        if let json = dpopKey?.exposedPrivateJWK, let jwk = json.expose({ JSONValue(json: $0).map { SecretJSON($0) } })
        {
            extras["dpopKey"] = jwk
        }
    }
}
