import Catalog
import Formats
import Secrets

extension Broker {
    /// Takes a provider's redirect. The state is spent by it, whatever comes of it, unless it is no sound request.
    public func callback(_ request: CallbackRequest) async -> CallbackResult {
        guard let state = request.state else { return .failed(request.withoutState, nil) }
        if let failure = request.repetition { return .failed(failure, nil) }
        let id = FlowID(of: state)
        let binding = request.presentedCookie(for: id).flatMap { secrets.outcomeSecret(in: $0, of: id) }
        let claimed: Flow?
        do {
            claimed = try await store.claim(
                id, at: request.redirect, isBound: binding != nil || settings.trialVerifier != nil, now: now())
        } catch {
            return .failed(CallbackFailure(error), nil)
        }
        guard let flow = claimed else { return .failed(request.withoutFlow, nil) }
        // A closed tab must not stop what can only be done once: the code would be spent for nothing.
        let exchange = Task { () async -> Result<CredentialKey, CallbackFailure> in
            do throws(CallbackFailure) {
                return .success(try await self.exchange(request, state, flow, binding))
            } catch {
                return .failure(error)
            }
        }
        switch await exchange.value {
        case .success(let key):
            return .succeeded(flow, key)
        case .failure(let failure):
            await end(flow, with: failure, request)
            return .failed(failure, flow)
        }
    }

    private func end(_ flow: Flow, with failure: CallbackFailure, _ request: CallbackRequest) async {
        let error = failure.error
        let remark = request.remark(on: catalog[flow.sourceType]?.oauth)
        let event = Event(
            .flowFailed, at: now(), by: request.requester, flow.placement, code: error.code,
            detail: ([failure.reason.description] + (remark.map { [$0] } ?? [])).joined(separator: "; "))
        report(event)
        do {
            try await store.fail(flow.id, error: error.code, description: error.providerDescription, recording: event)
        } catch {
            // The sweep ends the flow then.
            tell(Incident(notRecorded: event, error))
        }
    }

    private func exchange(
        _ request: CallbackRequest, _ state: State, _ flow: Flow, _ binding: OutcomeSecret?
    ) async throws(CallbackFailure) -> CredentialKey {
        let (profile, client) = try await parties(flow)
        try Self.checkSignature(request, profile, client)
        let values = try Self.values(request, profile, flow)
        let provider: Provider
        do {
            provider = try await self.provider(profile, values, for: .flow(flow.tenant))
        } catch {
            throw CallbackFailure(error)
        }
        let code = try Self.code(request, provider)
        guard let verifier = secrets.codeVerifier(of: state, key: flow.key) else {
            throw CallbackFailure(.invalidState, "the master key \(flow.key), which it began under, is not in the file")
        }
        guard let url = provider.token else {
            throw CallbackFailure(.notConfigured(flow.sourceType), Provider.withoutTokenEndpoint)
        }

        var grant = GrantContext(
            provider: provider, client: client, redirectURI: redirects.url(flow.redirect), scopes: flow.scopes,
            url: url, method: profile.tokenMethod)
        if profile.dpop { grant.dpopKey = SigningKey.makeP256() }
        var credentials: Credentials
        let connected: AfterConnecting
        do throws(ProviderError) {
            var tokens = try await self.tokens(grant, shape: profile.response) { parties in
                TokenRequest(exchange: code, state: state, verifier: verifier, parties)
            }
            if profile.openID {
                try await check(tokens, of: provider, client: client, code: code, nonce: nonce(of: state, flow))
            }
            connected = try await afterConnecting(&tokens, grant)
            credentials = profile.credentials(tokens, callback: request, asked: flow.scopes)
        } catch {
            throw CallbackFailure(error)
        }
        credentials.add(connected, dpopKey: grant.dpopKey)
        if let key = try await keep(credentials, connected, flow, provider, binding, request) { return key }
        // The operator took the flow back while the provider was asked: nobody may have its tokens.
        if let token = TokenToRevoke(credentials, provider) {
            do {
                try await takeBack(token, profile, client, for: provider.cause)
            } catch {
                tell(
                    Incident(
                        .tokenNotRevoked, error.reason, at: flow.placement, requestID: request.requester.requestID))
            }
        }
        throw CallbackFailure(.invalidState, "the flow was revoked or expired while the provider was asked")
    }

    private func parties(_ flow: Flow) async throws(CallbackFailure) -> (OAuthProfile, Client) {
        guard let sourceType = catalog[flow.sourceType], let profile = sourceType.oauth else {
            throw CallbackFailure(
                .notConfigured(flow.sourceType), "the catalog has no such source type with OAuth any more")
        }
        let found: Client?
        do {
            found = try await client(for: sourceType, of: flow.tenant)
        } catch {
            throw CallbackFailure(error)
        }
        guard let client = found else {
            throw CallbackFailure(.invalidState, "its client was taken away since it began")
        }
        // Another's secret must not go to the server of this flow, nor this flow's code to the server of another.
        guard client.id.isExactly(flow.clientID), profile.agree(flow.parameters, with: client) else {
            throw CallbackFailure(.invalidState, "its client, or that client's parameters, changed since it began")
        }
        return (profile, client)
    }

    private func nonce(of state: State, _ flow: Flow) -> Nonce? { secrets.nonce(of: state, key: flow.key) }

    /// Whoever signs its callbacks is believed in nothing without it.
    private static func checkSignature(
        _ request: CallbackRequest, _ profile: OAuthProfile, _ client: Client
    ) throws(CallbackFailure) {
        guard let name = profile.callbackSignature else { return }
        guard let secret = client.secret, case .one(let signature) = request[name],
            request.isSigned(signature, leavingOut: name, with: secret)
        else { throw CallbackFailure(.invalidCallback, "its signature (\(trusted: name)) is missing or does not fit") }
    }

    /// The flow's parameters, and the token endpoint's host where the callback tells it.
    private static func values(
        _ request: CallbackRequest, _ profile: OAuthProfile, _ flow: Flow
    ) throws(CallbackFailure) -> [String: String] {
        guard let tokenOrigin = profile.addresses.tokenOrigin else { return flow.parameters }
        switch request[tokenOrigin.callbackParameter] {
        case .absent where !tokenOrigin.required: return flow.parameters
        case .one(let value)
        where tokenOrigin.origin(value, allowInsecure: profile.addresses.allowInsecure) != nil:
            return flow.parameters.merging([tokenOrigin.callbackParameter: value]) { $1 }
        // Errors come without it.
        case .absent where request.isError: return flow.parameters
        default:
            throw CallbackFailure(
                .invalidCallback,
                "its \(trusted: tokenOrigin.callbackParameter) is missing, repeated or no host of the provider")
        }
    }

    /// The one code, once the answer is known to come from this provider and to be a good one.
    private static func code(
        _ request: CallbackRequest, _ provider: Provider
    ) throws(CallbackFailure) -> AuthorizationCode {
        // RFC 9207 § 2.4: compared as plain strings, for errors as well, before anything else is believed.
        switch request["iss"] {
        case .one where provider.profile.issuer == nil: break
        case .one(let stated) where provider.issuer.map(stated.isExactly) == true: break
        case .absent where !provider.requiresIssuer: break
        case .absent: throw CallbackFailure(.issuerMismatch, "no iss came, though this provider sends it (RFC 9207)")
        case .repeated: throw CallbackFailure(.issuerMismatch, "iss came twice")
        case .one(let stated): throw CallbackFailure(.issuerMismatch, "iss is \(quoted: stated)")
        }
        switch (request["error"], request["code"]) {
        case (.absent, .one(let code)): return AuthorizationCode(code)
        case (.one(let error), .absent):
            var description: String?
            if case .one(let text) = request["error_description"] { description = ProviderText.sentence(text) }
            throw CallbackFailure(
                .denied(error: ProviderText.code(error) ?? "access_denied", description: description),
                "the provider redirected with the error \(request.saidByProvider)")
        case (.absent, _): throw CallbackFailure(.invalidCallback, "no code came")
        default: throw CallbackFailure(.invalidCallback, "a code and an error came together")
        }
    }

    /// `nil`: the flow was revoked meanwhile.
    private func keep(
        _ credentials: Credentials, _ connected: AfterConnecting, _ flow: Flow, _ provider: Provider,
        _ binding: OutcomeSecret?, _ request: CallbackRequest
    ) async throws(CallbackFailure) -> CredentialKey? {
        guard let json = try? credentials.exposedJSON(sourceType: flow.sourceType) else {
            throw CallbackFailure(.providerRejected(error: nil), "the tokens cannot be written as JSON")
        }
        let key = CredentialKey.make()
        let now = now()
        let stored = StoredCredentialKey(
            keyDigest: key.digest,
            credentials: vault.seal(json, at: flow.placement, under: key),
            key: (binding ?? trialSecret(flow)).map { vault.seal(key, at: flow.placement, under: $0) },
            revocation: TokenToRevoke(credentials, provider)?.sealed(by: processKey, at: flow.placement),
            createdAt: now, expiresAt: now.adding(seconds: settings.credentialKeyLifetime))
        let event = Event(
            .flowSucceeded, at: now, by: request.requester, flow.placement,
            detail: Self.remarks(connected, request.remark(on: provider.profile)))
        let kept: Bool
        do {
            kept = try await store.succeed(flow.id, with: stored, recording: event)
        } catch {
            throw CallbackFailure(error)
        }
        guard kept else { return nil }
        report(event)
        return key
    }

    /// What else is to be known of a flow that ended well: that its extras are missing, and why.
    private static func remarks(_ connected: AfterConnecting, _ remark: String?) -> String? {
        guard case .failed(let reason) = connected else { return remark }
        return reason.description + (remark.map { "; " + $0 } ?? "")
    }

    private func trialSecret(_ flow: Flow) -> OutcomeSecret? {
        settings.trialVerifier.flatMap { secrets.outcomeSecret(of: $0, for: flow.id, key: flow.key) }
    }
}
