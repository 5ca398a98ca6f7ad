import Catalog
import Formats
import JOSE
import Secrets
import Transport

extension Broker {
    /// Begins a flow.
    public func authorize(_ request: AuthorizeRequest) async throws(AuthorizeError) -> Authorization {
        let (id, profile, found) = try await profile(request.sourceType, of: request.tenant)
        // First: nobody's text is matched, nor its addresses looked at, for what cannot begin.
        guard let client = found else { throw .notConfigured(id) }
        let values = try profile.values(request.parameters, client: client)
        let scopes = try profile.scopes(request.scopes ?? client.scopes, values: values)
        let frontend = settings.frontends[request.tenant]
        let frontendOrigin = try Self.frontendOrigin(request.frontendOrigin, frontend)
        let returnURL = try Self.returnURL(request.returnURL, frontend)
        let challenge = try exchangeChallenge(request.exchangeChallenge)
        // RFC 9700 § 4.7: else whoever is led to this flow's end brings another's key into his own session.
        if returnURL != nil, challenge == nil { throw .returnURLWithoutChallenge }

        let state = State.random()
        let now = now()
        let flow = Flow(
            id: FlowID(of: state), tenant: request.tenant, sourceType: id, parameters: values, scopes: scopes,
            frontendOrigin: frontendOrigin, returnURL: returnURL, exchangeChallenge: challenge,
            redirect: redirects.path(of: id, as: client), clientID: client.id, key: keyRing.primary,
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
            admission = try await store.start(flow, recording: event)
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
                throw ProviderError(error, at: .metadata)
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
            throw .rejected(reason: "neither the catalog nor the provider's metadata has an authorization endpoint")
        }
        url += url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        var members = profile.authorizationMembers(
            client: client, redirectURI: redirects.url(flow.redirect), state: state, verifier: verifier,
            nonce: profile.openID ? secrets.nonce(of: state, key: flow.key) : nil, scopes: flow.scopes)
        if profile.requestObject {
            guard let key = client.key, let audience = provider.assertionAudience,
                let object = RequestObject.make(
                    members, clientID: client.id, audience: audience, key: key, now: now())
            else { throw .rejected(reason: "the client has no key that signs a request object") }
            // RFC 9101 § 5: what is needed to read it stays outside.
            members = [("client_id", client.id), ("request", object.expose { $0 })]
        }
        if let address = provider.pushedAuthorization {
            let pushed = PushedAuthorization(members, to: address, as: client, provider, now: now())
            let response = try await send(pushed.http, for: provider.cause, at: .pushedAuthorization)
            let requestURI = try pushed.requestURI(in: response)
            // RFC 9126 § 4.
            members = [("client_id", client.id), ("request_uri", requestURI)]
        }
        return url + Percent.form(members)
    }

    /// One request, its failures in a provider's terms.
    func send(
        _ request: ProviderRequest, for cause: Cause, at endpoint: ProviderEndpoint
    ) async throws(ProviderError) -> ProviderResponse {
        var request = request
        request.cause = cause
        do {
            return try await transport.send(request)
        } catch {
            throw ProviderError(error, at: endpoint)
        }
    }

    private static func frontendOrigin(_ given: String?, _ frontend: Frontend) throws(AuthorizeError) -> Origin {
        let origin = given.map { Origin($0) } ?? frontend.usual
        guard let origin, frontend.allows(origin) else { throw .frontendOriginNotAllowed }
        return origin
    }

    /// RFC 9700 § 4.11.1: only addresses that the operator named.
    private static func returnURL(_ given: String?, _ frontend: Frontend) throws(AuthorizeError) -> ReturnURL? {
        guard let given else { return nil }
        guard let url = ReturnURL(given) else { throw .returnURLMalformed }
        guard frontend.allows(url, given: given) else { throw .returnURLNotAllowed }
        return url
    }

    private func exchangeChallenge(_ given: String?) throws(AuthorizeError) -> ProofKeyChallenge? {
        guard let given else { return nil }
        guard let challenge = ProofKeyChallenge(given) else { throw .exchangeChallengeMalformed }
        return challenge
    }
}
