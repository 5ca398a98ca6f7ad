public import Catalog
import Formats
public import Secrets
import Transport

/// What an asset service asks of `assets:revokeCredentials`.
public struct RevokeRequest: Sendable {
    public var tenant: TenantID
    public var sourceType: String
    public var token: RevokedToken
    /// RFC 7009 § 2.1: `access_token` or `refresh_token`.
    public var tokenTypeHint: String?
    public var parameters: [String: String]
    public var requester: Requester

    public init(
        tenant: TenantID, sourceType: String, token: RevokedToken, tokenTypeHint: String? = nil,
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

/// Why nothing was revoked.
public enum RevokeError: Error, Equatable, Sendable {
    /// The request itself, as `authorize` would refuse it.
    case request(AuthorizeError)
    /// The provider has no revocation.
    case unsupported(SourceType.ID)
    /// The provider revokes only this type of token.
    case onlyTokenType(String)
    case provider(ProviderError)
}

extension RevokeError {
    /// The provider may have done it, though it did not say so.
    fileprivate var mayHaveRevoked: Bool {
        switch self {
        case .provider(.timedOut), .provider(.unreachable): true
        // An answer that could not be read; an error of its own says that it refused.
        case .provider(.rejected(nil, _, _)): true
        case .provider, .request, .unsupported, .onlyTokenType: false
        }
    }
}

extension Broker {
    /// Has a provider take a token back (RFC 7009, or as the catalog says).
    public func revoke(_ request: RevokeRequest) async throws(RevokeError) {
        let (id, profile, client, values): (SourceType.ID, OAuthProfile, Client, [String: String])
        do {
            (id, profile, client, values) = try await parties(
                request.sourceType, request.parameters, of: request.tenant)
        } catch {
            throw .request(error)
        }
        let revocation = profile.revocation
        if let hint = request.tokenTypeHint, revocation.tokenType != .any, hint != revocation.tokenType.rawValue {
            throw .onlyTokenType(revocation.tokenType.rawValue)
        }
        let isOffered: Bool
        do throws(ProviderError) {
            let provider = try await provider(profile, values, for: call(of: request.tenant))
            isOffered = provider.hasRevocation
            if isOffered { try await takeBack(request.token, hint: request.tokenTypeHint, provider, client) }
        } catch {
            let error = RevokeError.provider(error)
            if error.mayHaveRevoked { await refreshes.forget(request.token.digest) }
            throw error
        }
        guard isOffered else { throw .unsupported(id) }
        // Before anybody learns that it is revoked: from then on nobody gets an earlier answer for its grant.
        await refreshes.forget(request.token.digest)
        await record(
            Event(.credentialsRevoked, at: now(), by: request.requester, tenant: request.tenant, sourceType: id))
    }

    /// Has the provider take a token back.
    func takeBack(
        _ token: RevokedToken, hint: String?, _ provider: Provider, _ client: Client
    ) async throws(ProviderError) {
        guard let http = revocationRequest(token, hint, provider, client) else {
            throw .rejected(reason: "\(ProviderEndpoint.revocation.words): its address lacks a value")
        }
        try Self.check(
            try await send(http, for: provider.cause, at: .revocation), to: http, of: token, provider.profile)
    }

    private func revocationRequest(
        _ revoked: RevokedToken, _ hint: String?, _ provider: Provider, _ client: Client
    ) -> ProviderRequest? {
        let profile = provider.profile
        let revocation = profile.revocation
        guard let url = provider.revocation(of: revoked, client: client) else { return nil }
        let token = revoked.expose { $0 }
        let proof = ProofContext(audience: provider.assertionAudience, now: now())
        var http = FormRequest(url: url, method: revocation.method)
        http.sourceType = profile.sourceType
        switch revocation.place {
        case .form: http.members = [(revocation.tokenParameter, token)]
        case .json:
            http.members = [(revocation.tokenParameter, token)]
            http.format = .json
        case .query:
            http.members = [(revocation.tokenParameter, token)]
            http.format = .query
        case .bearer: http.set(header: "Authorization", "Bearer \(token)")
        case .path: http.format = .query
        }
        if revocation.place == .form, revocation.method == .post, let hint {
            http.members.append(("token_type_hint", hint))
        }
        if revocation.place != .bearer || revocation.authentication != .none {
            let before = http.members.count
            http.authenticate(as: client, by: revocation.authentication, at: proof)
            // Where only the path or the header speaks, a name alone proves nothing and is left out.
            if revocation.authentication == .none, revocation.place != .form {
                http.members.removeSubrange(before...)
            }
        }
        var values = provider.values
        values["clientId"] = client.id
        values["clientSecret"] = client.secret?.expose { $0 }
        values["redirectURI"] = redirectURI(of: profile, as: client)
        values["token"] = token
        http.replace(revocation.parameters, filledWith: values)
        for (name, template) in revocation.headers {
            if let value = template.filled(with: values) { http.set(header: name, value) }
        }
        return http.http
    }

    /// RFC 7009 § 2.2: 200, also for a token that was none any more.
    private static func check(
        _ response: ProviderResponse, to request: ProviderRequest, of token: RevokedToken, _ profile: OAuthProfile
    ) throws(ProviderError) {
        let document = JSONValue(json: response.body)
        let error = document.flatMap { profile.response.error.value(in: $0)?.string }
        var isGood = (200..<300).contains(response.status)
        if isGood, let document, let condition = profile.response.failureUnless {
            isGood = condition.pointer.value(in: document) == condition.equals
        }
        // Gone is gone: who says that the token is unknown has nothing left to revoke.
        if error == "invalid_token" || (profile.revocation.place != .form && response.status == 404) { return }
        guard isGood else {
            let code = error.flatMap(ProviderText.code)
            let said: Reason =
                error.map { error in
                    " with the error \(quoted: error.hiding(request.sentValues + [token.expose { $0 }]))"
                } ?? ""
            throw .rejected(
                error: code, retryAfter: response.retryAfter,
                reason: "\(ProviderEndpoint.revocation.words): answered \(response.status)\(said)")
        }
    }
}
