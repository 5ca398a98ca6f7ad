import Catalog
import Formats
import Secrets

extension Broker {
    /// Takes a provider's redirect. The state is spent by it, whatever comes of it, unless it is no sound request.
    public func callback(_ request: CallbackRequest) async -> CallbackResult {
        guard let state = request.state else { return .failed(.invalidState, nil) }
        if let error = request.repetition { return .failed(error, nil) }
        let id = FlowID(of: state)
        let binding = request.presentedCookie(for: id).flatMap { secrets.outcomeSecret(in: $0, of: id) }
        let claimed: Flow?
        do {
            claimed = try await store.claim(
                id, at: request.redirect, isBound: binding != nil || settings.trialVerifier != nil, now: now())
        } catch {
            return .failed(.store(error), nil)
        }
        guard let flow = claimed else { return .failed(.invalidState, nil) }
        // A closed tab must not stop what can only be done once: the code would be spent for nothing.
        let exchange = Task { () async -> Result<CredentialKey, CallbackError> in
            do throws(CallbackError) {
                return .success(try await self.exchange(request, state, flow, binding))
            } catch {
                return .failure(error)
            }
        }
        switch await exchange.value {
        case .success(let key):
            return .succeeded(flow, key)
        case .failure(let error):
            let event = Event(
                .flowFailed, at: now(), by: request.requester, flow.placement, code: error.code,
                detail: request.remark(on: catalog[flow.sourceType]?.oauth))
            report(event)
            // Where even this fails, the sweep ends the flow.
            try? await store.fail(flow.id, error: error.code, description: error.providerDescription, event)
            return .failed(error, flow)
        }
    }

    private func exchange(
        _ request: CallbackRequest, _ state: State, _ flow: Flow, _ binding: OutcomeSecret?
    ) async throws(CallbackError) -> CredentialKey {
        let (profile, client) = try await parties(flow)
        try Self.checkSignature(request, profile, client)
        let provider: Provider
        do {
            provider = try await self.provider(
                profile, try Self.values(request, profile, flow), for: .flow(flow.tenant))
        } catch let error as ProviderError {
            throw CallbackError(error)
        } catch let error as CallbackError {
            throw error
        } catch {
            throw .invalidCallback
        }
        let code = try Self.code(request, provider)
        guard let verifier = secrets.codeVerifier(of: state, key: flow.key) else { throw .invalidState }
        guard let url = provider.token else { throw .notConfigured(flow.sourceType) }

        var grant = GrantContext(
            provider: provider, client: client, redirectURI: redirects.url(flow.redirect), scopes: flow.scopes,
            url: url, method: profile.tokenMethod)
        if profile.dpop { grant.dpopKey = SigningKey.makeP256() }
        do {
            var tokens = try await self.tokens(grant, shape: profile.response) { parties in
                TokenRequest(exchange: code, state: state, verifier: verifier, parties)
            }
            if profile.openID {
                try await check(tokens, of: provider, client: client, code: code, nonce: nonce(of: state, flow))
            }
            let connected = try await afterConnecting(&tokens, grant)
            var credentials = profile.credentials(tokens, callback: request, asked: flow.scopes)
            credentials.add(connected, dpopKey: grant.dpopKey)
            let kept = try await keep(credentials, flow, provider, binding, request)
            if let kept { return kept }
            // The operator took the flow back while the provider was asked: nobody may have its tokens.
            if let token = TokenToRevoke(credentials, provider) {
                try? await takeBack(token, profile, client, for: provider.cause)
            }
            throw CallbackError.invalidState
        } catch {
            throw (error as? CallbackError) ?? CallbackError(error as? ProviderError ?? .closed)
        }
    }

    private func parties(_ flow: Flow) async throws(CallbackError) -> (OAuthProfile, Client) {
        guard let sourceType = catalog[flow.sourceType], let profile = sourceType.oauth else {
            throw .notConfigured(flow.sourceType)
        }
        let found: Client?
        do {
            found = try await client(for: sourceType, of: flow.tenant)
        } catch {
            throw .store(error)
        }
        // Another's secret must not go to the server of this flow, nor this flow's code to the server of another.
        guard let client = found, client.id.isExactly(flow.clientID), profile.agree(flow.parameters, with: client)
        else { throw .invalidState }
        return (profile, client)
    }

    private func nonce(of state: State, _ flow: Flow) -> Nonce? { secrets.nonce(of: state, key: flow.key) }

    /// Whoever signs its callbacks is believed in nothing without it.
    private static func checkSignature(
        _ request: CallbackRequest, _ profile: OAuthProfile, _ client: Client
    ) throws(CallbackError) {
        guard let name = profile.callbackSignature else { return }
        guard let secret = client.secret, case .one(let signature) = request[name],
            request.isSigned(signature, leavingOut: name, with: secret)
        else { throw .invalidCallback }
    }

    /// The flow's parameters, and the token endpoint's host where the callback tells it.
    private static func values(
        _ request: CallbackRequest, _ profile: OAuthProfile, _ flow: Flow
    ) throws(CallbackError) -> [String: String] {
        guard let tokenOrigin = profile.addresses.tokenOrigin else { return flow.parameters }
        switch request[tokenOrigin.callbackParameter] {
        case .absent where !tokenOrigin.required: return flow.parameters
        case .one(let value)
        where tokenOrigin.origin(value, allowInsecure: profile.addresses.allowInsecure) != nil:
            return flow.parameters.merging([tokenOrigin.callbackParameter: value]) { $1 }
        // Errors come without it.
        case .absent where request.isError: return flow.parameters
        default: throw .invalidCallback
        }
    }

    /// The one code, once the answer is known to come from this provider and to be a good one.
    private static func code(
        _ request: CallbackRequest, _ provider: Provider
    ) throws(CallbackError) -> AuthorizationCode {
        // RFC 9207 § 2.4: compared as plain strings, for errors as well, before anything else is believed.
        switch request["iss"] {
        case .one where provider.profile.issuer == nil: break
        case .one(let stated) where provider.issuer.map(stated.isExactly) == true: break
        case .absent where !provider.requiresIssuer: break
        case .absent, .repeated, .one: throw .issuerMismatch
        }
        switch (request["error"], request["code"]) {
        case (.absent, .one(let code)): return AuthorizationCode(code)
        case (.one(let error), .absent):
            var description: String?
            if case .one(let text) = request["error_description"] { description = ProviderText.sentence(text) }
            throw .denied(error: ProviderText.code(error) ?? "access_denied", description: description)
        default: throw .invalidCallback
        }
    }

    /// `nil`: the flow was revoked meanwhile.
    private func keep(
        _ credentials: Credentials, _ flow: Flow, _ provider: Provider, _ binding: OutcomeSecret?,
        _ request: CallbackRequest
    ) async throws(CallbackError) -> CredentialKey? {
        guard let json = try? credentials.exposedJSON(sourceType: flow.sourceType) else {
            throw .providerRejected(error: nil)
        }
        let key = CredentialKey.make()
        let now = now()
        let ticket = Ticket(
            keyDigest: key.digest,
            credentials: vault.seal(json, at: flow.placement, under: key),
            key: (binding ?? trialSecret(flow)).map { vault.seal(key, at: flow.placement, under: $0) },
            revocation: TokenToRevoke(credentials, provider)?.sealed(by: processKey, at: flow.placement),
            createdAt: now, expiresAt: now.adding(seconds: settings.credentialKeyLifetime))
        let event = Event(
            .flowSucceeded, at: now, by: request.requester, flow.placement, detail: request.remark(on: provider.profile)
        )
        let kept: Bool
        do {
            kept = try await store.succeed(flow.id, with: ticket, event)
        } catch {
            throw .store(error)
        }
        guard kept else { return nil }
        report(event)
        return key
    }

    private func trialSecret(_ flow: Flow) -> OutcomeSecret? {
        settings.trialVerifier.flatMap { secrets.outcomeSecret(of: $0, for: flow.id, key: flow.key) }
    }
}
