import Catalog
public import Secrets

/// What an asset service asks of `assets:refreshCredentials`.
public struct RefreshRequest: Sendable {
    public var tenant: TenantID
    public var sourceType: String
    public var refreshToken: RefreshToken
    public var parameters: [String: String]
    /// `nil`: all that was granted.
    public var scopes: [String]?
    public var requester: Requester

    public init(
        tenant: TenantID, sourceType: String, refreshToken: RefreshToken, parameters: [String: String] = [:],
        scopes: [String]? = nil, requester: Requester = .unknown
    ) {
        self.tenant = tenant
        self.sourceType = sourceType
        self.refreshToken = refreshToken
        self.parameters = parameters
        self.scopes = scopes
        self.requester = requester
    }
}

/// Why nothing was refreshed.
public enum RefreshError: Error, Equatable, Sendable {
    /// The request itself, as `authorize` would refuse it.
    case request(AuthorizeError)
    /// The provider says `invalid_grant` (RFC 6749 § 5.2): the person has to connect again.
    case reauthorizationRequired(Reason)
    case provider(ProviderError)
}

extension Broker {
    /// New tokens for a refresh token, as the JSON that `assets:oauthCredentials` answers (RFC 6749 § 6).
    ///
    /// Simultaneous calls for one grant share one call to the provider, and for 30 s its answer: a provider that
    /// rotates would take a second one for theft (RFC 9700 § 4.14.2). Each of them is told in the audit trail.
    public func refresh(_ request: RefreshRequest) async throws(RefreshError) -> SecretBytes {
        let (id, profile, client, values): (SourceType.ID, OAuthProfile, Client, [String: String])
        let scopes: [String]
        do {
            (id, profile, client, values) = try await parties(
                request.sourceType, request.parameters, of: request.tenant)
            scopes = try profile.scopes(request.scopes ?? client.scopes, values: values)
        } catch {
            throw .request(error)
        }
        let identity = Refreshes.Identity(
            tenant: request.tenant, sourceType: id, client: client.id, parameters: values, scopes: request.scopes,
            token: request.refreshToken)
        let cause = call(of: request.tenant)
        let json = try await refreshes.run(identity, token: request.refreshToken) {
            () async throws(RefreshError) -> Refreshes.Answer in
            let credentials: Credentials
            do throws(ProviderError) {
                credentials = try await refreshed(request, profile, client, values, scopes, cause)
            } catch {
                guard case .rejected(let code?, _, let reason) = error, Self.lostGrant.contains(code) else {
                    throw .provider(error)
                }
                throw .reauthorizationRequired(reason)
            }
            guard let json = try? credentials.exposedJSON(sourceType: id) else {
                throw .provider(.rejected(reason: "the tokens cannot be written as JSON"))
            }
            return Refreshes.Answer(
                json: json,
                tokens: [credentials.accessToken.digest] + (credentials.refreshToken.map { [$0.digest] } ?? []))
        }
        await record(
            Event(.credentialsRefreshed, at: now(), by: request.requester, tenant: request.tenant, sourceType: id))
        return json
    }

    /// What providers call RFC 6749's `invalid_grant`.
    private static let lostGrant: Set = ["invalid_grant", "invalid_refresh_token", "bad_refresh_token"]

    private func refreshed(
        _ request: RefreshRequest, _ profile: OAuthProfile, _ client: Client, _ values: [String: String],
        _ scopes: [String], _ cause: Cause
    ) async throws(ProviderError) -> Credentials {
        let provider = try await provider(profile, values, for: cause)
        guard let url = provider.refresh else { throw .rejected(reason: Provider.withoutTokenEndpoint) }
        var grant = GrantContext(
            provider: provider, client: client, redirectURI: redirectURI(of: profile, as: client), scopes: scopes,
            url: url,
            method: profile.refreshMethod)
        if profile.dpop { grant.dpopKey = SigningKey.makeP256() }
        let tokens = try await tokens(grant, shape: profile.refreshResponse) { parties in
            TokenRequest(refresh: request.refreshToken, narrowed: request.scopes != nil, parties)
        }
        if profile.openID {
            try await check(tokens, of: provider.begun, client: client, code: nil, nonce: nil)
        }
        // RFC 6749 § 6: where no scope comes back it is the one that was granted before, which only the caller knows.
        var credentials = profile.credentials(tokens, callback: nil, asked: request.scopes ?? [])
        credentials.refreshToken = tokens.refreshToken ?? request.refreshToken
        credentials.warnings.removeAll { $0 == .missingRefreshToken }
        credentials.add(.kept(KeptExtras()), dpopKey: grant.dpopKey)
        return credentials
    }

    /// What a refresh or a revocation acts on.
    func parties(
        _ sourceType: String, _ parameters: [String: String], of tenant: TenantID
    ) async throws(AuthorizeError) -> (SourceType.ID, OAuthProfile, Client, [String: String]) {
        let (id, profile, found) = try await profile(sourceType, of: tenant)
        guard let client = found else { throw .notConfigured(id) }
        let values = try profile.values(parameters, client: client, allowingCallbackParameter: true)
        return (id, profile, client, values)
    }
}
