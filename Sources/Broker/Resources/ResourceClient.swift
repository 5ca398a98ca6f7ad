import Catalog
import Formats
import Secrets
import Transport

/// The broker as the client of an authorization server that was found.
struct ResourceClient: Sendable {
    let client: Client
    let approach: ClientApproach
    let authentication: OAuthProfile.ClientAuthentication
    let redirect: RedirectPath
    /// The one origin that its tokens may be sent to; `nil`: whichever the metadata names.
    let tokenOrigin: Origin?
}

/// A redirect address at an authorization server, which belongs to one client there.
struct ResourceRedirect: Sendable {
    let handle: RedirectHandle
    let path: RedirectPath
    let place: ClientRegistration.Place
}

extension Broker {
    /// A client that the broker became by itself, as it is kept.
    struct Kept: Sendable {
        let registration: ClientRegistration
        let redirect: ResourceRedirect
        /// It is the one that a tenant has for itself.
        let isForTenant: Bool
    }

    /// The redirect address for an authorization server.
    ///
    /// - Parameter tenant: of the client that this tenant has for itself, since it asks for scopes that the server does
    ///   not publish; `nil`: of the client that serves all.
    func redirect(
        of sourceType: SourceType.ID, at issuer: String, for tenant: TenantID? = nil
    ) -> ResourceRedirect {
        let handle =
            tenant.map { RedirectHandle(issuer: issuer, tenant: $0) } ?? RedirectHandle(issuer: issuer)
        let path = RedirectPath(name: sourceType.description, handle: handle)
        return ResourceRedirect(
            handle: handle, path: path,
            place: ClientRegistration.Place(issuer: issuer, redirectURI: redirects.url(path)))
    }

    /// The clients that the broker became at an issuer, with the tenant's own one first.
    func registrations(
        of sourceType: SourceType.ID, at issuer: String, for tenant: TenantID
    ) async throws(StoreError) -> [Kept] {
        var found: [Kept] = []
        for owner in [tenant, nil] {
            let redirect = redirect(of: sourceType, at: issuer, for: owner)
            if let kept = try await registered.registration(at: redirect.place, now: now()) {
                found.append(Kept(registration: kept, redirect: redirect, isForTenant: owner != nil))
            }
        }
        return found
    }

    /// The reason where tokens of one of them may not be sent to the token endpoint; `nil` where those of all may. A token
    /// does not tell which of them it belongs to.
    static func moved(_ kept: [Kept], _ metadata: ProviderMetadata) -> Reason? {
        kept.lazy.map(\.registration).first { !metadata.takesTokens(boundTo: $0.tokenOrigin) }?.moved(metadata)
    }

    /// A client that was set. One that names no issuer goes, without a secret, to whichever is asked.
    static func client(_ own: Client, at issuer: String) -> Client {
        let parameters = [OAuthProfile.issuerParameter: issuer]
        guard own.parameters[OAuthProfile.issuerParameter] != nil else {
            return Client(id: own.id, secret: nil, parameters: parameters)
        }
        // The same issuer may be written with a slash.
        return own.isRegistered(at: issuer) ? own.with(parameters: parameters) : own
    }

    /// The client that was set, as the one of an issuer.
    func preregistered(
        _ own: Client, by method: OAuthProfile.ClientAuthentication, at issuer: String, of sourceType: SourceType.ID
    ) -> ResourceClient {
        let client = Self.client(own, at: issuer)
        // A tenant's own client has an address that was known before it was.
        let path =
            client.owner == nil
            ? redirect(of: sourceType, at: issuer).path : redirects.path(of: sourceType, as: client)
        return ResourceClient(
            client: client, approach: .preregistered, authentication: method, redirect: path, tokenOrigin: nil)
    }

    /// The client of a flow that begins: a registration is made where one is needed.
    ///
    /// One client serves all tenants, with the scopes that the server and its authorization server publish: what a tenant
    /// names decides nothing for the others. A tenant that wants more has a client for itself, since some servers hold a
    /// client to the scopes of its registration (RFC 7591 § 2).
    ///
    /// - Parameters:
    ///   - published: all that the server publishes.
    ///   - wanted: what the caller names. What the server proposes never moves a tenant to another client.
    func client(
        at offer: ServerOffer, for entry: TenantEntry, of tenant: TenantID, published: [String], wanted: [String],
        _ cause: Cause
    ) async throws(ResourceError) -> ResourceClient {
        let issuer = offer.metadata.issuer
        if case .preregistered(let method) = offer.approach, let own = entry.client {
            return preregistered(own, by: method, at: issuer, of: entry.sourceType)
        }
        let kept: [Kept]
        do {
            kept = try await registrations(of: entry.sourceType, at: issuer, for: tenant)
        } catch {
            throw .store(error)
        }
        if let reason = Self.moved(kept, offer.metadata) { throw .provider(.rejected(reason: reason)) }
        let isForTenant = needsOwn(kept, at: offer, published: published, wanted: wanted)
        let chosen = redirect(of: entry.sourceType, at: issuer, for: isForTenant ? tenant : nil)
        let registration = try await registered.registration(
            at: chosen.place, for: cause.account, at: offer, scopes: wanted, now: now
        ) { [self] (known: ClientRegistration?) async throws(ProviderError) in
            switch offer.approach {
            case .preregistered, .metadataDocument:
                return .document(clientDocumentURL(chosen.handle))
            case .dynamicRegistration(let endpoint, let method):
                // Those that it asked for last first: what is kept has a bound.
                let more = isForTenant ? Scopes.union(wanted, known?.scopes ?? []) : wanted
                return try await register(
                    at: endpoint, by: method, chosen, published: published,
                    asked: Scopes.union(published, more).inBytes(8192), for: cause)
            }
        }
        return registration.client(at: chosen)
    }

    /// Tells whether a flow needs the client that its tenant has for itself. Where there is one, it serves all flows of
    /// the tenant: a refresh could not tell which of two a token belongs to.
    private func needsOwn(
        _ kept: [Kept], at offer: ServerOffer, published: [String], wanted: [String]
    ) -> Bool {
        if kept.contains(where: \.isForTenant) { return true }
        if let shared = kept.first?.registration, !shared.isDue(at: now()) { return !shared.covers(wanted) }
        guard case .dynamicRegistration = offer.approach else { return false }
        return !wanted.allSatisfy(published.contains)
    }

    private func register(
        at endpoint: String, by method: OAuthProfile.ClientAuthentication, _ redirect: ResourceRedirect,
        published: [String], asked: [String], for cause: Cause
    ) async throws(ProviderError) -> ClientRegistration {
        let description = ClientDescription(
            redirectURIs: [redirect.place.redirectURI], publicURL: settings.publicURL)
        var named = asked
        while true {
            let request = ClientRegistration.Request(description, at: endpoint, by: method, scopes: named)
            let response: ProviderResponse
            do {
                // In the share of whoever asks: a server that hangs must not keep others from keys and metadata.
                response = try await transport.send(ProviderRequest(request.http, cause: cause))
            } catch {
                throw ProviderError(error, at: .registration)
            }
            do {
                var made = try request.registration(response, now: now(), flowLifetime: settings.stateLifetime)
                // Also where it knows fewer: it would not know more of them if it were asked again.
                made.scopes = asked
                return made
            } catch {
                // It may be one of the scopes that is not to its liking.
                if case .refused(_, "invalid_client_metadata"?) = error, !named.isEmpty {
                    named = named.count > published.count ? published : []
                    continue
                }
                throw .rejected(reason: "\(ProviderEndpoint.registration.words): \(error.reason)")
            }
        }
    }
}

extension ClientRegistration {
    /// The broker's client that is known by a document of its own at this address.
    static func document(_ address: String) -> ClientRegistration {
        ClientRegistration(approach: .metadataDocument, id: address, secret: nil, authentication: .none, renewsAt: nil)
    }

    func client(at redirect: ResourceRedirect) -> ResourceClient {
        ResourceClient(
            client: client(at: redirect.place.issuer), approach: approach, authentication: authentication,
            redirect: redirect.path, tokenOrigin: tokenOrigin)
    }
}
