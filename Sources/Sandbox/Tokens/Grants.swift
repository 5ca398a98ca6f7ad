/// Codes, tokens, and the grants that they belong to. A grant's end is the end of all that came of it.
actor Grants {
    typealias GrantID = String

    static let codeLifetime: Duration = .seconds(60)
    static let accessTokenSeconds = 3600

    private struct Code {
        let grant: GrantID
        let expiry: ContinuousClock.Instant
        var spent = false
    }

    private struct AccessToken {
        let grant: GrantID
        let expiry: ContinuousClock.Instant
    }

    private struct RefreshToken {
        let grant: GrantID
        var spent = false
    }

    private var grants = BoundedMap<GrantID, Grant>(capacity: 20_000)
    private var codes = BoundedMap<String, Code>(capacity: 20_000)
    private var accessTokens = BoundedMap<String, AccessToken>(capacity: 20_000)
    private var refreshTokens = BoundedMap<String, RefreshToken>(capacity: 20_000)
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.now = now
    }

    func issueCode(for grant: Grant) -> String {
        let id = Base64URL.random()
        grants[id] = grant
        let code = Base64URL.random(prefix: "sbx_code_")
        codes[code] = Code(grant: id, expiry: now().advanced(by: Self.codeLifetime))
        return code
    }

    /// Exchanges a code. A good one is spent by its first attempt, whatever is wrong with the rest of the request.
    func exchange(
        _ text: String, clientID: String, redirectURI: String?, codeVerifier: String?
    ) throws(OAuthError) -> IssuedTokens {
        guard let code = codes[text], let grant = grants[code.grant], grant.clientID == clientID else {
            throw OAuthError(.invalidGrant, "the code is unknown")
        }
        // RFC 6749 § 4.1.2: a second use should revoke what the first one gave.
        guard !code.spent else {
            grants[code.grant] = nil
            throw OAuthError(.invalidGrant, "the code was used before; its grant is revoked")
        }
        codes[text]?.spent = true
        guard now() < code.expiry else { throw OAuthError(.invalidGrant, "the code has expired") }
        guard redirectURI == grant.redirectURI else {
            throw OAuthError(.invalidGrant, "redirect_uri is not the one of the authorization request")
        }
        try Self.check(codeVerifier, against: grant.codeChallenge)
        return issueTokens(for: grant, id: code.grant)
    }

    /// RFC 7636 § 4.6, and RFC 9700 § 2.1.1: a verifier without a challenge is a downgrade attack.
    private static func check(_ verifier: String?, against challenge: String?) throws(OAuthError) {
        switch (verifier, challenge) {
        case (nil, nil): return
        case (nil, .some): throw OAuthError(.invalidGrant, "code_verifier is missing")
        case (.some, nil): throw OAuthError(.invalidGrant, "code_verifier was sent, but there was no challenge")
        case (let verifier?, let challenge?):
            guard (43...128).contains(verifier.utf8.count),
                Base64URL.encode(SHA256.digest(Array(verifier.utf8))) == challenge
            else { throw OAuthError(.invalidGrant, "code_verifier does not match the challenge") }
        }
    }

    /// Rotates a refresh token, unless its grant says otherwise.
    func refresh(_ text: String, clientID: String) throws(OAuthError) -> IssuedTokens {
        guard let token = refreshTokens[text], let grant = grants[token.grant], grant.clientID == clientID else {
            throw OAuthError(.invalidGrant, "the refresh token is unknown")
        }
        // RFC 9700 § 4.14.2: of an old and a new token in use, one is in the wrong hands.
        guard !token.spent else {
            grants[token.grant] = nil
            throw OAuthError(.invalidGrant, "the refresh token was used before; its grant is revoked")
        }
        guard !grant.behaviours.contains(.refreshRefused) else {
            throw OAuthError(.invalidGrant, "this sandbox was told to refuse")
        }
        guard !grant.behaviours.contains(.noRotation) else {
            return IssuedTokens(accessToken: issueAccessToken(token.grant), refreshToken: nil, grant: grant)
        }
        refreshTokens[text]?.spent = true
        return issueTokens(for: grant, id: token.grant)
    }

    /// A refresh token takes its grant along, and an access token goes alone (RFC 7009 § 2.1). An unknown token is no
    /// error (RFC 7009 § 2.2).
    func revoke(_ text: String, clientID: String) throws(OAuthError) {
        guard let id = refreshTokens[text]?.grant ?? accessTokens[text]?.grant, let grant = grants[id] else { return }
        guard grant.clientID == clientID else { throw OAuthError(.invalidGrant, "the token is another client's") }
        if refreshTokens[text] != nil { grants[id] = nil }
        accessTokens[text] = nil
    }

    /// The grant that an access token opens, while both last.
    func grant(accessToken text: String) -> Grant? {
        guard let token = accessTokens[text], now() < token.expiry else { return nil }
        return grants[token.grant]
    }

    private func issueTokens(for grant: Grant, id: GrantID) -> IssuedTokens {
        let accessToken = issueAccessToken(id)
        guard !grant.behaviours.contains(.noRefreshToken) else {
            return IssuedTokens(accessToken: accessToken, refreshToken: nil, grant: grant)
        }
        let refreshToken = Base64URL.random(prefix: "sbx_refresh_")
        refreshTokens[refreshToken] = RefreshToken(grant: id)
        return IssuedTokens(accessToken: accessToken, refreshToken: refreshToken, grant: grant)
    }

    private func issueAccessToken(_ id: GrantID) -> String {
        let text = Base64URL.random(prefix: "sbx_access_")
        let expiry = now().advanced(by: .seconds(Self.accessTokenSeconds))
        accessTokens[text] = AccessToken(grant: id, expiry: expiry)
        return text
    }
}
