import Catalog
import Formats
import Secrets

extension OAuthProfile {
    /// The credentials that a token response grants, with warnings for their redeemer.
    ///
    /// - Parameters:
    ///   - callback: has extras; `nil` at a refresh.
    ///   - asked: the scopes that were asked for; empty where they are not known.
    func credentials(_ tokens: TokenResponse, callback: CallbackRequest?, asked: [String]) -> Credentials {
        var warnings: [Credentials.Warning] = []
        if refreshToken == .expected, tokens.refreshToken == nil { warnings.append(.missingRefreshToken) }
        // RFC 6749 § 5.1: an answer without a scope grants what was asked.
        if let granted = tokens.scope, !isGranted(asked, in: granted) { warnings.append(.scopeReduced) }
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
        for (name, value) in extras.known { kept.keep(.string(value), as: name, nil) }
        if kept.hasRefused { warnings.append(.extraRefused) }
        return Credentials(tokens: tokens, extras: kept.values, warnings: warnings)
    }
}

extension Credentials {
    /// Adds the extras of the call after connecting, and the key that the tokens are bound to.
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
