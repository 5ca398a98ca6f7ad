public import Catalog
public import Formats
public import Secrets
import Transport

/// A call of `assets:revokeCredentials` by an asset service.
public struct TokenRevocationRequest: Sendable {
    /// The path's tenant, for which the caller's token was accepted.
    public var tenant: TenantID
    /// The source type's name as the caller gave it.
    public var sourceType: String
    /// The token to revoke, as the caller keeps it.
    public var token: AccessOrRefreshToken
    /// `access_token` or `refresh_token` (RFC 7009 § 2.1); `nil` where the caller does not say.
    public var tokenTypeHint: String?
    /// The flow's parameters once more, and the extra that names the provider's host where a callback told it.
    public var parameters: [String: String]
    /// The caller, for the audit trail.
    public var requester: Requester

    /// Checks nothing: `Broker.revoke` does.
    public init(
        tenant: TenantID, sourceType: String, token: AccessOrRefreshToken, tokenTypeHint: String? = nil,
        parameters: [String: String] = [:], requester: Requester = .unknown
    ) {
        self.tenant = tenant
        self.sourceType = sourceType
        self.token = token
        self.tokenTypeHint = tokenTypeHint
        self.parameters = parameters
        self.requester = requester
    }
}

/// A reason for which nothing was revoked.
public enum TokenRevocationError: Error, Equatable, Sendable {
    /// The request itself is refused, as `authorize` would refuse it.
    case request(AuthorizeError)
    /// The provider has no revocation.
    case unsupported(SourceType.ID)
    /// The provider revokes only tokens of this type, and the hint names the other.
    case onlyTokenType(String)
    /// The token's authorization server is none of the resource's any more, the broker is no client of it, or its token
    /// endpoint is elsewhere: the token was sent to nobody.
    case reauthorizationRequired(Reason)
    /// The provider failed; it may have revoked the token nevertheless.
    case provider(ProviderError)
    /// The provider took it back, and answers of its grant may still be kept.
    case store(StoreError)
}

extension TokenRevocationError {
    /// True if the provider may have revoked the token, though it did not say so.
    fileprivate var mayHaveRevoked: Bool {
        switch self {
        case .provider(.timedOut), .provider(.unreachable): true
        // An answer that could not be read; an error of its own says that it refused.
        case .provider(.rejected(nil, _, _)): true
        case .provider, .request, .unsupported, .onlyTokenType, .reauthorizationRequired, .store: false
        }
    }
}

extension Broker {
    /// Has a provider revoke a token (RFC 7009 § 2, or as the catalog says). Before it returns, kept answers for the
    /// token's grant are forgotten (Docs/Contract.md#refreshing).
    public func revoke(_ request: TokenRevocationRequest) async throws(TokenRevocationError) {
        let entry: TenantEntry
        let values: [String: String]
        do {
            entry = try await self.entry(request.sourceType, of: request.tenant)
            values = try self.values(request.parameters, of: entry, needing: entry.profile.learnedForRevocation)
        } catch {
            throw .request(error)
        }
        let revocation = entry.profile.revocation
        if let hint = request.tokenTypeHint, revocation.tokenType != .any, hint != revocation.tokenType.rawValue {
            throw .onlyTokenType(revocation.tokenType.rawValue)
        }
        let ready = try await ready(entry, values, of: request.tenant, for: call(of: request.tenant))
        let source = ready.source
        let isOffered: Bool
        do throws(ProviderError) {
            let provider = try await provider(source.profile, ready.values, for: call(of: request.tenant))
            isOffered = provider.hasRevocation
            if isOffered {
                try await takeBack(request.token, hint: request.tokenTypeHint, at: provider, as: source.client)
            }
        } catch {
            let error = TokenRevocationError.provider(error)
            if error.mayHaveRevoked { try await forgetRefreshes(of: request.token).get() }
            throw error
        }
        guard isOffered else { throw .unsupported(source.sourceType) }
        // Before anybody learns that it is revoked: from then on nobody gets an earlier answer for its grant.
        let forgotten = await forgetRefreshes(of: request.token)
        await record(
            Event(
                .credentialsRevoked, at: now(), by: request.requester, tenant: request.tenant,
                sourceType: source.sourceType))
        try forgotten.get()
    }

    /// The provider and the client for a revocation.
    private func ready(
        _ entry: TenantEntry, _ values: [String: String], of tenant: TenantID, for cause: Cause
    ) async throws(TokenRevocationError) -> ReadySource {
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

    /// Ends the kept answers of the token's grant. A caller who is told that it failed repeats the call: the provider
    /// then finds the token gone.
    private func forgetRefreshes(of token: AccessOrRefreshToken) async -> Result<Void, TokenRevocationError> {
        do {
            try await refreshes.forget(token.digest)
            return .success(())
        } catch {
            return .failure(.store(error))
        }
    }

    /// Has a provider revoke a token. Throws where it refused; an unknown token counts as revoked.
    func takeBack(
        _ token: AccessOrRefreshToken, hint: String?, at provider: Provider, as client: Client
    ) async throws(ProviderError) {
        guard let http = revocationRequest(for: token, hint: hint, at: provider, as: client) else {
            throw .rejected(reason: "\(ProviderEndpoint.revocation.words): its address lacks a value")
        }
        var hidden = HiddenValues(in: http, of: client)
        hidden.add(token)
        try check(try await send(http, to: provider, at: .revocation), at: provider.profile, hiding: hidden)
    }

    private func revocationRequest(
        for token: AccessOrRefreshToken, hint: String?, at provider: Provider, as client: Client
    ) -> TransportRequest? {
        let profile = provider.profile
        let revocation = profile.revocation
        guard let url = provider.revocation(of: token, client: client) else { return nil }
        let proof = ProofContext(audience: provider.assertionAudience, now: now())
        var request = FormRequest(url: url, method: revocation.method)
        switch revocation.place {
        case .form: request.parameters.append(revocation.tokenParameter, token)
        case .json:
            request.parameters.append(revocation.tokenParameter, token)
            request.format = .json
        case .query:
            request.parameters.append(revocation.tokenParameter, token)
            request.format = .query
        case .bearer: token.expose { request.set(header: "Authorization", "Bearer \($0)") }
        case .path: request.format = .query
        }
        if revocation.place == .form, revocation.method == .post, let hint {
            request.parameters.append("token_type_hint", hint)
        }
        if revocation.place != .bearer || revocation.authentication != .none {
            let before = request.parameters.count
            request.authenticate(as: client, by: revocation.authentication, at: proof)
            // Where only the path or the header speaks, a name alone proves nothing and is left out.
            if revocation.authentication == .none, revocation.place != .form {
                request.parameters.keepFirst(before)
            }
        }
        var values = PlaceholderValues(
            provider.values, client: client, redirectURI: redirectURI(of: provider, as: client))
        values.set("token", to: token)
        request.parameters.replace(revocation.parameters, filledWith: values)
        if profile.clientCertificate { request.certificate = client.certificate }
        for (name, template) in revocation.headers {
            if let value = values.header(template) { request.set(header: name, value) }
        }
        return request.http
    }

    /// Throws unless the token is revoked. RFC 7009 § 2.2: 200, also for a token that was none any more. An error in a
    /// 200 is one all the same: the token lives on.
    private func check(
        _ response: ProviderResponse, at profile: OAuthProfile, hiding hidden: HiddenValues
    ) throws(ProviderError) {
        let document = TokenResponse.document(response)
        let refusal = document.flatMap { profile.response.error.value(in: $0) }
            .flatMap { TokenResponse.isNoError($0) ? nil : $0 }
        var isGood = (200..<300).contains(response.status) && refusal == nil
        if isGood, let document, let condition = profile.response.failureUnless {
            isGood = condition.pointer.value(in: document) == condition.equals
        }
        if isGood { return }
        // Gone is gone: who says that the token is unknown has nothing left to revoke.
        let isGone =
            response.says(oneOf: profile.goneWords) != nil
            || (profile.revocation.place != .form && response.status == 404)
        guard isGone else {
            let error = refusal?.string
            let said: Reason = error.map { " with the error \(quoted: hidden.redacted($0))" } ?? ""
            throw .rejected(
                error: error.flatMap(hidden.code), retryAfter: response.retryAfter(at: now()),
                reason: "\(ProviderEndpoint.revocation.words): answered \(response.status)\(said)")
        }
    }
}
