public import Formats
public import Secrets
public import Transport

/// Calls a Cloakroom broker on behalf of an asset service: redeems credential keys, refreshes and revokes tokens, and
/// starts and watches connections.
///
/// ```swift
/// let broker = BrokerClient(
///     url: url, transport: transport,
///     authorization: .signing(key, keyID: "2027-01", issuer: "https://issuer.example.com", audience: "cloakroom"))
/// let credentials = try await broker.redeem(key, verifier: verifier, for: tenant)
/// ```
///
/// Each method sends one request, and never a second one: the caller knows whether and when to try again
/// (`BrokerError.isTemporary`, `BrokerError.retryAfter`). `FreshCredentials` keeps what a redemption gave, and refreshes
/// it in time.
public struct BrokerClient: Sendable {
    let base: String
    let transport: any HTTPTransport
    let authorization: BrokerAuthorization
    package let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - url: the broker's `http.publicURL`. A path is kept; a query is not.
    ///   - transport: follows no redirect, and sends a POST at most once. Its deadline and its cap for answers hold.
    ///   - authorization: the way to the service's own tokens. `redeem` and `flow` do without.
    ///   - now: the system's clock, unless a test has its own.
    public init(
        url: StrictURL, transport: any HTTPTransport, authorization: BrokerAuthorization = .anonymous,
        now: @escaping @Sendable () -> Timestamp = { .current }
    ) {
        let path = url.rest.utf8.prefix { $0 != UInt8(ascii: "?") }
        let trimmed = path.last == UInt8(ascii: "/") ? path.dropLast() : path
        base = url.origin.description + String(decoding: trimmed, as: UTF8.self)
        self.transport = transport
        self.authorization = authorization
        self.now = now
    }

    /// Redeems a credential key, which works once. Anonymous: the key is the right.
    ///
    /// Keep the answer before anything else is done: nobody gets it a second time. After an error that
    /// `BrokerError.mayHaveSpentKey`, have the person connect again.
    ///
    /// - Parameter verifier: of the challenge with which the connection was started, where there was one.
    public func redeem(
        _ key: CredentialKey, verifier: ExchangeVerifier? = nil, for tenant: TenantID
    ) async throws(BrokerError) -> RedeemedCredentials {
        // In the body, not the address: what is in an address is in somebody's log.
        var body = RequestBody()
        body.add("credentialKey", key)
        if let verifier { body.add("exchangeVerifier", verifier) }
        let answer = try await send(.post("assets:oauthCredentials", body), for: tenant, as: nil)
        return try answer.read { try? RedeemedCredentials($0) }
    }

    /// Has the provider give new tokens for a refresh token. Needs the scope `credentials:write`.
    ///
    /// The broker answers the same refresh token with the same tokens for 30 s, so that a call whose answer was lost can
    /// be made again. Keep the answer's refresh token before the new access token is used: the old one may be worth
    /// nothing now.
    ///
    /// - Parameters:
    ///   - sourceType: as in the redemption's answer.
    ///   - parameters: those with which the connection was started.
    ///   - scopes: fewer than were granted; `nil`: the same.
    public func refresh(
        _ token: RefreshToken, of sourceType: String, parameters: [String: String] = [:], scopes: [String]? = nil,
        for tenant: TenantID
    ) async throws(BrokerError) -> RedeemedCredentials {
        var body = RequestBody()
        body.add("sourceType", sourceType)
        body.add("refreshToken", token)
        body.add("parameters", parameters)
        if let scopes { body.add("scopes", scopes) }
        let answer = try await send(.post("assets:refreshCredentials", body), for: tenant, as: .credentialsWrite)
        return try answer.read { try? RedeemedCredentials($0) }
    }

    /// A type of token, as RFC 7009 § 2.1 names it for a provider that wants to know.
    public enum TokenTypeHint: String, Sendable {
        case accessToken = "access_token"
        case refreshToken = "refresh_token"
    }

    /// Has the provider revoke a token (RFC 7009). Needs the scope `credentials:write`. Throws `.revocationUnsupported`
    /// where the provider revokes none.
    public func revoke(
        _ token: AccessOrRefreshToken, hint: TokenTypeHint? = nil, of sourceType: String,
        parameters: [String: String] = [:], for tenant: TenantID
    ) async throws(BrokerError) {
        var body = RequestBody()
        body.add("sourceType", sourceType)
        body.add("token", token)
        if let hint { body.add("tokenTypeHint", hint.rawValue) }
        body.add("parameters", parameters)
        let answer = try await send(.post("assets:revokeCredentials", body), for: tenant, as: .credentialsWrite)
        guard answer.status == 204 else { throw answer.fault }
    }
}
