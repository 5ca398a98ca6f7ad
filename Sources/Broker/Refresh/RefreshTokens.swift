import Catalog
public import Formats
public import Secrets

/// A call of `assets:refreshCredentials` by an asset service.
public struct RefreshRequest: Sendable {
    /// The path's tenant, for which the caller's token was accepted.
    public var tenant: TenantID
    /// The source type's name as the caller gave it.
    public var sourceType: String
    /// The token as the caller keeps it; the broker has no copy to compare it with.
    public var refreshToken: RefreshToken
    /// The flow's parameters once more, and the extra that names the token endpoint's host where a callback told it.
    public var parameters: [String: String]
    /// The scopes to narrow the access token to (RFC 6749 § 6); `nil`: all that was granted.
    public var scopes: [String]?
    /// The caller, for the audit trail.
    public var requester: Requester

    /// Checks nothing: `Broker.refresh` does.
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

/// A reason for which nothing was refreshed.
public enum RefreshError: Error, Equatable, Sendable {
    /// The request itself is refused, as `authorize` would refuse it.
    case request(AuthorizeError)
    /// The provider does not accept the refresh token any more (`invalid_grant`, RFC 6749 § 5.2): the person has to
    /// connect again.
    case reauthorizationRequired(Reason)
    /// The provider failed otherwise; the token may still be good.
    case provider(ProviderError)
    /// Nobody was asked.
    case store(StoreError)
}

extension Broker {
    /// New tokens for a refresh token, as the JSON that `assets:oauthCredentials` answers (RFC 6749 § 6).
    ///
    /// Simultaneous calls for one grant share one call to the provider, and for 30 s its answer, in all brokers of the
    /// store. Each of them is told in the audit trail.
    public func refresh(_ request: RefreshRequest) async throws(RefreshError) -> SecretBytes {
        let entry: TenantEntry
        let values: [String: String]
        let scopes: [String]
        do {
            entry = try await self.entry(request.sourceType, of: request.tenant)
            values = try self.values(request.parameters, of: entry, needing: entry.profile.learnedForRefresh)
            scopes = try entry.profile.scopes(request.scopes ?? entry.client?.scopes, values: values)
        } catch {
            throw .request(error)
        }
        let identity = RefreshIdentity(
            tenant: request.tenant, sourceType: entry.sourceType,
            // Where the broker becomes a client by itself, the issuer among the values tells which.
            client: entry.client?.id ?? "", parameters: values, scopes: request.scopes, token: request.refreshToken)
        let cause = call(of: request.tenant)
        let json = try await refreshes.run(identity, token: request.refreshToken) {
            [self] () async throws(RefreshError) -> RefreshCoalescer.Answer in
            let ready = try await ready(entry, values, of: request.tenant, for: cause)
            let source = ready.source
            let credentials: Credentials
            do throws(ProviderError) {
                credentials = try await refreshed(
                    request, from: source, values: ready.values, scopes: scopes, for: cause)
            } catch {
                let isLost = await noteClient(error, of: source, with: ready.values, of: request.tenant)
                guard case .rejected(let code, _, let reason) = error, isLost || code == ProviderError.invalidGrant
                else { throw .provider(error) }
                throw .reauthorizationRequired(reason)
            }
            await noteClient(nil, of: source, with: ready.values, of: request.tenant)
            guard let json = try? credentials.exposedJSON(sourceType: source.sourceType) else {
                throw .provider(.rejected(reason: "the tokens cannot be written as JSON"))
            }
            return RefreshCoalescer.Answer(
                json: json,
                tokens: [credentials.tokens.accessToken.digest]
                    + (credentials.tokens.refreshToken.map { [$0.digest] } ?? []))
        }
        await record(
            Event(
                .credentialsRefreshed, at: now(), by: request.requester, tenant: request.tenant,
                sourceType: entry.sourceType))
        return json
    }

    /// The provider and the client for a refresh.
    private func ready(
        _ entry: TenantEntry, _ values: [String: String], of tenant: TenantID, for cause: Cause
    ) async throws(RefreshError) -> ReadySource {
        do {
            return try await source(entry, values, of: tenant, for: cause)
        } catch {
            switch error {
            case .provider(let error): throw .provider(error)
            case .reauthorizationRequired(let reason): throw .reauthorizationRequired(reason)
            case .store(let error): throw .store(error)
            // Only a flow that begins registers.
            case .tooManyRegistrations: throw .provider(.rateLimited)
            }
        }
    }

    private func refreshed(
        _ request: RefreshRequest, from source: TenantSource, values: [String: String], scopes: [String],
        for cause: Cause
    ) async throws(ProviderError) -> Credentials {
        let (profile, client) = (source.profile, source.client)
        let provider = try await provider(profile, values, for: cause)
        guard let url = provider.refresh else { throw .rejected(reason: provider.withoutTokenEndpoint) }
        let endpoint = TokenEndpoint(
            url, of: provider, as: client, redirectURI: redirectURI(of: provider, as: client), scopes: scopes)
        let tokens = try await exchange(
            .refreshToken(request.refreshToken, isNarrowed: request.scopes != nil), at: endpoint)
        if profile.openID {
            try await check(tokens, of: provider.begun, client: client, code: nil, nonce: nil)
        }
        // RFC 6749 § 6: where no scope comes back it is the one that was granted before, which only the caller knows.
        var credentials = profile.credentials(
            tokens.keeping(request.refreshToken), callback: nil, asked: request.scopes ?? [], told: provider.values)
        credentials.add(.kept(KeptExtras()), dpopKey: endpoint.dpopKey)
        return credentials
    }
}
