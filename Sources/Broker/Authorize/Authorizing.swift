import Secrets

extension Broker {
    /// Begins a flow.
    public func authorize(_ request: AuthorizeRequest) async throws(AuthorizeError) -> Authorization {
        let (id, profile, found) = try await profile(request.sourceType, of: request.tenant)
        let client = found ?? Client(id: "", secret: nil)
        let values = try profile.values(request.parameters, client: client)
        let scopes = try profile.scopes(request.scopes ?? client.scopes, values: values)
        let frontendOrigin = try frontendOrigin(request.frontendOrigin)
        let returnURL = try returnURL(request.returnURL)
        let challenge = try exchangeChallenge(request.exchangeChallenge)
        guard found != nil else { throw .notConfigured(id) }

        let state = State.random()
        let now = now()
        let flow = Flow(
            id: FlowID(of: state), tenant: request.tenant, sourceType: id, parameters: values, scopes: scopes,
            frontendOrigin: frontendOrigin, returnURL: returnURL, exchangeChallenge: challenge, key: keyRing.primary,
            startedAt: now, expiresAt: now.adding(seconds: settings.stateLifetime))
        let url: String
        do {
            let provider = try await provider(profile, values, for: call(of: request.tenant))
            url = try await authorizationURL(provider, client, flow, state)
        } catch {
            throw .provider(error)
        }
        let event = Event(.flowStarted, at: now, by: request.requester, flow.placement)
        let admission: FlowAdmission
        do {
            admission = try await store.start(flow, event)
        } catch {
            throw .store(error)
        }
        switch admission {
        case .admitted: break
        case .tenantHasTooMany: throw .tenantHasTooManyFlows
        case .tooMany: throw .tooManyFlows
        }
        report(event)
        return Authorization(url: url, flow: flow.id, expiresAt: flow.expiresAt, cutsOpener: profile.cutsOpener)
    }

    /// A source type's OAuth and the client that flows of it use, if there is one.
    func profile(
        _ name: String, of tenant: TenantID
    ) async throws(AuthorizeError) -> (SourceType.ID, OAuthProfile, Client?) {
        guard let id = SourceType.ID(name), let sourceType = catalog[id] else { throw .unknownSourceType }
        guard let profile = sourceType.oauth else { throw .withoutOAuth(id) }
        do {
            return (id, profile, try await client(for: sourceType, of: tenant))
        } catch {
            throw .store(error)
        }
    }

    /// A provider's addresses; its metadata is asked for where the catalog says so (RFC 8414).
    func provider(
        _ profile: OAuthProfile, _ values: [String: String], for cause: Cause
    ) async throws(ProviderError) -> Provider {
        var metadata: ProviderMetadata?
        if profile.discovery, let issuer = profile.issuer(values) {
            do {
                let cause = profile.hasSharedIssuer ? .broker : cause
                metadata = try await directory.metadata(for: issuer, cause: cause)
            } catch {
                throw ProviderError(error)
            }
        }
        var provider = Provider(profile, values: values, metadata: metadata, now: now())
        provider.cause = cause
        return provider
    }

    private func authorizationURL(
        _ provider: Provider, _ client: Client, _ flow: Flow, _ state: State
    ) async throws(ProviderError) -> String {
        let profile = provider.profile
        // The ring always has its own first key, and the values were tried before.
        guard var url = provider.authorization, let verifier = secrets.codeVerifier(of: state, key: flow.key) else {
            throw .rejected(error: nil, retryAfter: nil)
        }
        url += url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        var members = profile.authorizationMembers(
            client: client, redirectURI: settings.redirectURI, state: state, verifier: verifier,
            nonce: profile.openID ? secrets.nonce(of: state, key: flow.key) : nil, scopes: flow.scopes)
        if profile.requestObject {
            let object = client.key.flatMap {
                RequestObject.make(
                    members, clientID: client.id, audience: provider.assertionAudience, key: $0, now: now())
            }
            guard let object else { throw .rejected(error: nil, retryAfter: nil) }
            // RFC 9101 § 5: what is needed to read it stays outside.
            members = [("client_id", client.id), ("request", object.expose { $0 })]
        }
        if let address = provider.pushedAuthorization {
            let pushed = PushedAuthorization(members, to: address, as: client, provider, now: now())
            let response = try await send(pushed.http, for: provider.cause)
            let requestURI = try PushedAuthorization.requestURI(in: response)
            // RFC 9126 § 4.
            members = [("client_id", client.id), ("request_uri", requestURI)]
        }
        return url + Percent.form(members)
    }

    /// One request, its failures in a provider's terms.
    func send(_ request: ProviderRequest, for cause: Cause) async throws(ProviderError) -> ProviderResponse {
        var request = request
        request.cause = cause
        do {
            return try await transport.send(request)
        } catch {
            throw ProviderError(error)
        }
    }

    private func frontendOrigin(_ given: String?) throws(AuthorizeError) -> Origin {
        let origins = settings.frontendOrigins
        guard let given else {
            guard let first = origins.first else { throw .frontendOriginNotAllowed }
            return first
        }
        guard let origin = origins.first(where: { $0.description == given }) else { throw .frontendOriginNotAllowed }
        return origin
    }

    /// RFC 9700 § 4.11.1: only addresses that the operator named; compared by origin after strict parsing.
    private func returnURL(_ given: String?) throws(AuthorizeError) -> StrictURL? {
        guard let given else { return nil }
        guard let url = StrictURL(given) else { throw .returnURLMalformed }
        guard settings.frontendOrigins.contains(url.origin) else {
            throw .returnURLNotAllowed(origin: url.origin.description)
        }
        return url
    }

    private func exchangeChallenge(_ given: String?) throws(AuthorizeError) -> ProofKeyChallenge? {
        guard let given else { return nil }
        guard let challenge = ProofKeyChallenge(given) else { throw .exchangeChallengeMalformed }
        return challenge
    }
}
