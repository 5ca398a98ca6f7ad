import Catalog
import Formats
import JOSE
import Secrets
import Transport

extension Broker {
    /// Begins a flow: checks the request, pushes its parameters to the provider where the catalog or the provider wants
    /// that, and keeps the flow (Docs/Contract.md#starting-a-flow). Nothing is kept where it throws.
    public func authorize(_ request: AuthorizeRequest) async throws(AuthorizeError) -> Authorization {
        // First: no pattern is matched and no address looked at for a flow that cannot begin.
        let entry = try await entry(request.sourceType, of: request.tenant)
        let values = try values(request.parameters, of: entry)
        // Tried before anybody is asked: what a caller names does not get better by it.
        _ = try entry.profile.scopes(request.scopes ?? entry.client?.scopes, values: values)
        let hints = try SignInHints(request, for: entry.profile)
        let frontend = settings.frontends[request.tenant]
        let frontendOrigin = try Self.frontendOrigin(request.frontendOrigin, frontend)
        let returnURL = try Self.returnURL(request.returnURL, frontend)
        let challenge = try exchangeChallenge(request.exchangeChallenge)
        // RFC 9700 § 4.7: else a user who is led to the end of another's flow would redeem the other's key in a session
        // of their own.
        if returnURL != nil, challenge == nil { throw .returnURLWithoutChallenge }

        let cause = beginning(of: request.tenant, at: entry)
        let ready = try await ready(entry, values, for: request, cause)
        let (profile, client) = (ready.source.profile, ready.source.client)
        let scopes = try profile.scopes(request.scopes ?? client.scopes ?? ready.scopes, values: ready.values)
        let state = State.random()
        let now = now()
        let flow = Flow(
            id: FlowID(of: state), tenant: request.tenant, sourceType: entry.sourceType, parameters: ready.values,
            scopes: scopes,
            frontendOrigin: frontendOrigin, returnURL: returnURL, exchangeChallenge: challenge,
            redirect: ready.redirect, clientID: client.id, key: keyRing.primary,
            startedAt: now, expiresAt: now.adding(seconds: settings.stateLifetime))
        let url: AuthorizationURL
        do {
            let provider = try await provider(profile, ready.values, for: cause)
            url = try await authorizationURL(at: provider, as: client, of: flow, state: state, with: hints)
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

    /// The source type of this name, with the client that the tenant's flows of it act as; without one only where the
    /// broker becomes a client by itself.
    func entry(_ name: String, of tenant: TenantID) async throws(AuthorizeError) -> TenantEntry {
        guard let id = SourceType.ID(name), let sourceType = catalog[id] else { throw .unknownSourceType }
        guard let profile = sourceType.oauth else { throw .withoutOAuth(id) }
        let client: Client?
        do {
            client = try await self.client(for: sourceType, of: tenant)
        } catch {
            throw .store(error)
        }
        guard client != nil || profile.resourceParameter != nil else { throw .notConfigured(id) }
        return TenantEntry(sourceType: id, profile: profile, client: client)
    }

    /// The values of a flow.
    ///
    /// - Parameter needed: the learned values that a call outside of flows cannot do without. It may have those too that
    ///   a callback told; `nil` for a flow.
    func values(
        _ given: [String: String], of entry: TenantEntry, needing needed: [OAuthProfile.LearnedValue]? = nil
    ) throws(AuthorizeError) -> [String: String] {
        guard let name = entry.profile.resourceParameter else {
            guard let client = entry.client else { throw .notConfigured(entry.sourceType) }
            return try entry.profile.values(given, client: client, needing: needed)
        }
        let values = try entry.profile.resourceValues(given, isOutside: needed != nil)
        guard let url = entry.resource(in: values),
            entry.profile.addresses.allowInsecure || url.text.hasPrefix("https://")
        else { throw .serverMalformed(name: name) }
        guard settings.resources.allows(url) else { throw .serverNotAllowed(name: name) }
        return values
    }

    /// The provider and the client of a flow that is about to begin.
    private func ready(
        _ entry: TenantEntry, _ values: [String: String], for request: AuthorizeRequest, _ cause: Cause
    ) async throws(AuthorizeError) -> ReadySource {
        guard let url = entry.resource(in: values) else {
            guard let client = entry.client else { throw .notConfigured(entry.sourceType) }
            return ReadySource(
                source: TenantSource(sourceType: entry.sourceType, profile: entry.profile, client: client),
                values: values, redirect: redirects.path(of: entry.sourceType, as: client))
        }
        do {
            return try await connect(entry, to: url, scopes: request.scopes, of: request.tenant, for: cause)
        } catch {
            switch error {
            case .store(let error): throw .store(error)
            case .provider(let error):
                await recordFailure(error, of: entry, for: request)
                throw .provider(error)
            case .tooManyRegistrations(let seconds, let isNews):
                let error = AuthorizeError.tooManyRegistrations(retryAfter: seconds)
                // Once an hour: refusals must not fill the trail.
                if isNews { await recordFailure("rate_limited", Self.tooManyRegistrations, of: entry, for: request) }
                throw error
            case .reauthorizationRequired(let reason): throw .provider(.rejected(reason: reason))
            }
        }
    }

    /// There is no flow yet, and yet what is missing at a server is for whoever reads the trail.
    private func recordFailure(_ error: ProviderError, of entry: TenantEntry, for request: AuthorizeRequest) async {
        switch error {
        case .closed, .rateLimited: return
        case .rejected, .unreachable, .timedOut:
            await recordFailure(CallbackError(error).code, error.reason, of: entry, for: request)
        }
    }

    private static let tooManyRegistrations: Reason =
        "the tenant caused as many registrations at authorization servers as it may in an hour"

    private func recordFailure(
        _ code: String, _ reason: Reason, of entry: TenantEntry, for request: AuthorizeRequest
    ) async {
        await record(
            Event(
                .flowFailed, at: now(), by: request.requester, tenant: request.tenant, sourceType: entry.sourceType,
                code: code, detail: reason.description))
    }

    private func authorizationURL(
        at provider: Provider, as client: Client, of flow: Flow, state: State, with hints: SignInHints
    ) async throws(ProviderError) -> AuthorizationURL {
        let profile = provider.profile
        // The ring always has its own first key, and the values were tried before.
        guard let endpoint = provider.authorization(for: client),
            let verifier = secrets.codeVerifier(of: state, key: flow.key)
        else {
            throw .rejected(reason: provider.withoutAuthorizationEndpoint)
        }
        var parameters = profile.authorizationRequestParameters(
            client: client, redirectURI: provider.redirectURI ?? redirects.url(flow.redirect), state: state,
            verifier: verifier,
            nonce: profile.openID || profile.nonce ? secrets.nonce(of: state, key: flow.key) : nil,
            scopes: flow.scopes, values: provider.values)
        // In place of the entry's own: RFC 6749 § 3.1 allows no parameter twice.
        for (name, value) in hints.parameters { parameters.set(name, value) }
        if profile.requestObject {
            guard let key = client.key, let audience = provider.assertionAudience,
                let object = parameters.expose({
                    RequestObject.make($0, clientID: client.id, audience: audience, key: key, now: now())
                })
            else { throw .rejected(reason: "the client has no key that signs a request object") }
            // RFC 9101 § 5: what is needed to read it stays outside.
            parameters = RequestParameters([("client_id", client.id)])
            parameters.append("request", object)
        }
        if let address = provider.pushedAuthorization {
            let pushed = PushedAuthorization(parameters, to: address, of: provider, as: client, now: now())
            let response = try await send(pushed.http, to: provider, at: .pushedAuthorization)
            let requestURI = try pushed.requestURI(in: response, at: now())
            // RFC 9126 § 4.
            parameters = RequestParameters([("client_id", client.id), ("request_uri", requestURI)])
        }
        return AuthorizationURL(endpoint, fragment: provider.authorizationFragment, parameters: parameters)
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

    private func exchangeChallenge(_ given: String?) throws(AuthorizeError) -> CodeChallenge? {
        guard let given else { return nil }
        guard let challenge = CodeChallenge(given) else { throw .exchangeChallengeMalformed }
        return challenge
    }
}
