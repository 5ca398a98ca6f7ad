import Catalog
import Formats
import Secrets

extension OAuthProfile {
    /// The credentials that a token response grants, with warnings for their redeemer.
    ///
    /// - Parameters:
    ///   - callback: has extras; `nil` at a refresh.
    ///   - asked: the scopes that were asked for; empty where they are not known.
    ///   - told: the values of the flow or the refresh, with what the provider told before.
    func credentials(
        _ tokens: TokenResponse, callback: CallbackRequest?, asked: [String], told: [String: String]
    ) -> Credentials {
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
        if keep(learned, of: tokens, told: told, in: &kept) { warnings.append(.extrasMissing) }
        if let refreshNotBefore, let end = tokens.expiresAt {
            let moment = end.adding(seconds: -Int64(refreshNotBefore))
            kept.keep(.number(Double(moment.milliseconds)), as: "refreshNotBefore", nil)
        }
        if kept.hasRefused { warnings.append(.extraRefused) }
        return Credentials(tokens: tokens, extras: kept.values, warnings: warnings)
    }

    /// Keeps what the provider told for later requests. True where something that they need is missing.
    private func keep(
        _ values: [LearnedValue], of tokens: TokenResponse, told: [String: String], in kept: inout KeptExtras
    ) -> Bool {
        var isMissing = false
        for value in values {
            let said = tokens.text(of: value)
            if let text = said.flatMap(value.value) ?? told[value.name] {
                // As it was said: callers bring it again so.
                kept.keep(.string(value.prefix + text), as: value.name, nil)
            } else if said != nil {
                kept.refuse()
            } else if value.required {
                isMissing = true
            }
        }
        return isMissing
    }

    /// The values of an answer that later requests need, as far as it has the form that the entry wants.
    func learned(from tokens: TokenResponse) -> [String: String] {
        learned.reduce(into: [:]) { learned, value in
            if let text = tokens.text(of: value).flatMap(value.value) { learned[value.name] = text }
        }
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

extension TokenResponse {
    /// The member that tells a learned value; `nil` where none does.
    fileprivate func text(of value: OAuthProfile.LearnedValue) -> String? {
        guard case .answer(let pointer) = value.source else { return nil }
        return document.expose { pointer.value(in: $0)?.string }
    }
}
