extension OAuthProfile {
    /// The credentials that a token response grants to a flow, with what its redeemer should know.
    func credentials(_ tokens: TokenResponse, callback: CallbackRequest, of flow: Flow) -> Credentials {
        var warnings: [Credentials.Warning] = []
        if refreshToken == .expected, tokens.refreshToken == nil { warnings.append(.missingRefreshToken) }
        // RFC 6749 § 5.1: an answer without a scope grants what was asked. Offline access is often left out of
        // the scopes though it was granted; its absence shows in the refresh token.
        if let granted = tokens.scope.map({ Set(Scopes.split($0)) }),
            !flow.scopes.allSatisfy({ granted.contains($0) || Self.offlineScopes.contains($0) })
        {
            warnings.append(.scopeReduced)
        }
        if tokens.expiresAt == nil { warnings.append(.expiryUnknown) }

        var kept: [String: JSONValue] = [:]
        for name in extras.callback {
            if case .one(let value) = callback[name], value.utf8.count <= 2048 { kept[name] = .string(value) }
        }
        for (name, pointer) in extras.token {
            if let value = pointer.value(in: tokens.document) { kept[name] = value }
        }
        return Credentials(
            accessToken: tokens.accessToken, refreshToken: tokens.refreshToken, tokenType: tokens.tokenType,
            expiresAt: tokens.expiresAt, scope: tokens.scope, idToken: tokens.idToken, extras: kept,
            warnings: warnings)
    }
}
