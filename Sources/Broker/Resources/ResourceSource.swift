import Catalog
import Formats
import Secrets

/// A reason for which a protected resource cannot be connected, or a token of it not be used.
enum ResourceError: Error, Equatable, Sendable {
    /// The resource, its authorization server or the registration there failed.
    case provider(ProviderError)
    /// The resource takes tokens of another authorization server now, or the broker is no client of this one any more:
    /// tokens that it issued are good for nothing.
    case reauthorizationRequired(Reason)
    case store(StoreError)
}

/// A source type with all that a flow or call of one tenant needs to know of its provider.
struct ReadySource: Sendable {
    let source: TenantSource
    let values: [String: String]
    /// The scopes of a caller who names none; `nil`: the entry's.
    var scopes: [String]?
    let redirect: RedirectPath
}

extension TenantEntry {
    /// The address of the resource among checked values; `nil` where the entry names its provider.
    func resource(in values: [String: String]) -> StrictURL? {
        profile.resourceParameter.flatMap { values[$0] }.flatMap { StrictURL($0) }
    }
}

extension Broker {
    /// Finds the authorization server of a resource: the first that the broker can work with, of those that it names.
    /// Makes a registration there where that is needed, unless it only looks.
    ///
    /// - Parameter scopes: those that the caller names.
    func connect(
        _ entry: TenantEntry, to url: StrictURL, _ values: [String: String], scopes: [String]?, for cause: Cause
    ) async throws(ResourceError) -> ReadySource {
        let (resource, offer) = try await offer(of: url, for: entry, cause)
        let connected = ConnectedServer(
            url: entry.profile.resourceParameter.flatMap { values[$0] } ?? url.text, offer: offer,
            resource: resource.metadata.resource)
        guard let profile = entry.profile.found(connected.server) else {
            throw .provider(.rejected(reason: "\(ProviderEndpoint.metadata.words): an address in it cannot be used"))
        }
        let asked = scopes ?? entry.client?.scopes ?? resource.scopes
        let redirect = redirectPath(of: entry, at: connected)
        let client: Client
        switch offer.membership {
        case .own:
            client = try Self.own(entry, at: connected.server.issuer)
        case .document: client = documentClient(at: connected.server.issuer)
        case .registration:
            let place = ClientRegistration.Place(
                issuer: connected.server.issuer, redirectURI: redirects.url(redirect))
            let registration = try await registered.registration(at: place, now: now) {
                [self] () async throws(ProviderError) in
                try await register(at: place, offer, scopes: asked)
            }
            // It may have been given another authentication than the one that this flow would ask for.
            let final = connected.authenticating(by: registration.authentication)
            guard let profile = entry.profile.found(final.server) else {
                throw .provider(
                    .rejected(reason: "\(ProviderEndpoint.metadata.words): an address in it cannot be used"))
            }
            return ReadySource(
                source: TenantSource(
                    sourceType: entry.sourceType, profile: profile, client: registration.client(place.issuer)),
                values: final.values(of: profile), scopes: resource.scopes, redirect: redirect)
        }
        return ReadySource(
            source: TenantSource(sourceType: entry.sourceType, profile: profile, client: client),
            values: connected.values(of: profile), scopes: resource.scopes, redirect: redirect)
    }

    /// What a resource says of itself, and the first of its authorization servers that the broker can work with.
    func offer(
        of url: StrictURL, for entry: TenantEntry, _ cause: Cause,
        narrating: @escaping ResourceDirectory.Narrator = { _ in }
    ) async throws(ResourceError) -> (FoundResource, ServerOffer) {
        let resource: FoundResource
        do {
            resource = try await resources.resource(at: url, for: cause, narrating: narrating)
        } catch {
            throw .provider(error)
        }
        var missing: [Reason] = []
        var failure: ProviderError?
        for issuer in resource.metadata.authorizationServers {
            do throws(ProviderDirectoryError) {
                let metadata = try await resources.server(issuer, for: cause)
                narrating("authorization server \(quoted: issuer): its metadata was found")
                do throws(ServerOffer.Unworkable) {
                    return (resource, try ServerOffer(metadata, own: entry.client))
                } catch {
                    narrating("authorization server \(quoted: issuer) cannot be used: \(error.reason)")
                    missing.append("\(quoted: issuer): \(error.reason)")
                }
            } catch {
                narrating("authorization server \(quoted: issuer) cannot be used: \(error.reason(.metadata))")
                if case .transport = error { failure = failure ?? ProviderError(error, at: .metadata) }
                missing.append("\(quoted: issuer): \(error.reason(.metadata))")
            }
        }
        // A server that is down may be up again; what is missing stays missing.
        if resource.metadata.authorizationServers.count == 1, let failure { throw .provider(failure) }
        let all = missing.dropFirst().reduce(missing.first ?? "none") { "\($0); \($1)" }
        throw .provider(.rejected(reason: "no authorization server of the resource can be worked with: \(all)"))
    }

    private static func own(_ entry: TenantEntry, at issuer: String) throws(ResourceError) -> Client {
        guard let own = entry.client else { throw .provider(.rejected(reason: "no client is set")) }
        return client(own, at: issuer)
    }

    /// A client that was set. One that names no issuer goes, without a secret, to whichever is asked.
    private static func client(_ own: Client, at issuer: String) -> Client {
        own.parameters[OAuthProfile.issuerParameter] == nil
            ? Client(id: own.id, secret: nil, parameters: [OAuthProfile.issuerParameter: issuer]) : own
    }

    /// The client that is known by its document, at an issuer.
    private func documentClient(at issuer: String) -> Client {
        Client(
            id: clientDocumentURL(RedirectHandle(issuer: issuer)), secret: nil,
            parameters: [OAuthProfile.issuerParameter: issuer])
    }

    /// One redirect address for each authorization server (RFC 9700 § 4.4); a tenant's own client has its own.
    private func redirectPath(of entry: TenantEntry, at connected: ConnectedServer) -> RedirectPath {
        if connected.membership == .own, let own = entry.client, own.owner != nil {
            return redirects.path(of: entry.sourceType, as: own)
        }
        return RedirectPath(
            name: entry.sourceType.description, handle: RedirectHandle(issuer: connected.server.issuer))
    }

    private func register(
        at place: ClientRegistration.Place, _ offer: ServerOffer, scopes: [String]
    ) async throws(ProviderError) -> ClientRegistration {
        let description = ClientDescription(redirectURIs: [place.redirectURI], publicURL: settings.publicURL)
        // Some servers hold a client to the scopes that it named: then it needs all that anybody may ask for.
        let all = Scopes.union(offer.metadata.scopes.map { $0.filter(Scopes.isToken) } ?? [], scopes)
        let endpoint = offer.metadata.registrationEndpoint ?? ""
        var named = all.prefix(200).map(\.self)
        while true {
            let request = ClientRegistration.Request(
                description, at: endpoint, by: offer.authentication, scopes: named)
            let response: ProviderResponse
            do {
                // Of all tenants: the client is theirs in common.
                response = try await transport.send(ProviderRequest(request.http, cause: .broker))
            } catch {
                throw ProviderError(error, at: .registration)
            }
            do {
                return try request.registration(response, now: now())
            } catch {
                if case .refused(_, "invalid_client_metadata"?) = error, !named.isEmpty {
                    named = []
                    continue
                }
                throw .rejected(reason: "\(ProviderEndpoint.registration.words): \(error.reason)")
            }
        }
    }

    // MARK: later

    /// The entry and the client of a flow that was begun at a server, by what the flow keeps; nobody is asked. `nil`
    /// where its client is gone, or another than it began with.
    func source(
        _ sourceType: SourceType, startedWith values: [String: String], of tenant: TenantID
    ) async throws(StoreError) -> TenantSource? {
        guard let entry = sourceType.oauth, let connected = ConnectedServer(values, of: entry),
            let profile = entry.found(connected.server),
            let client = try await client(at: connected, sourceType, of: tenant)
        else { return nil }
        return TenantSource(sourceType: sourceType.id, profile: profile, client: client)
    }

    private func client(
        at connected: ConnectedServer, _ sourceType: SourceType, of tenant: TenantID
    ) async throws(StoreError) -> Client? {
        let issuer = connected.server.issuer
        switch connected.membership {
        case .document: return documentClient(at: issuer)
        case .own:
            return try await self.client(for: sourceType, of: tenant).map { Self.client($0, at: issuer) }
        case .registration:
            let place = place(of: sourceType.id, at: issuer)
            return try await registered.registration(at: place)?.client(issuer)
        }
    }

    private func place(of sourceType: SourceType.ID, at issuer: String) -> ClientRegistration.Place {
        let path = RedirectPath(name: sourceType.description, handle: RedirectHandle(issuer: issuer))
        return ClientRegistration.Place(issuer: issuer, redirectURI: redirects.url(path))
    }

    /// The provider and the client for a call outside of flows.
    func source(
        _ entry: TenantEntry, _ values: [String: String], for cause: Cause
    ) async throws(ResourceError) -> ReadySource {
        if let url = entry.resource(in: values) { return try await source(entry, at: url, values, for: cause) }
        // `entry` has seen to it that there is one.
        guard let client = entry.client else { throw .provider(.rejected(reason: "no client is set")) }
        return ReadySource(
            source: TenantSource(sourceType: entry.sourceType, profile: entry.profile, client: client),
            values: values, redirect: redirects.path(of: entry.sourceType, as: client))
    }

    /// The entry and the client for a token that a resource's authorization server issued, outside of flows.
    ///
    /// The resource is asked anew which servers it takes tokens of. Where the token's is none of them any more, nobody is
    /// sent anything.
    func source(
        _ entry: TenantEntry, at url: StrictURL, _ values: [String: String], for cause: Cause
    ) async throws(ResourceError) -> ReadySource {
        let issuer = values[OAuthProfile.issuerParameter] ?? ""
        let resource: FoundResource
        let metadata: ProviderMetadata
        do throws(ProviderError) {
            resource = try await resources.resource(at: url, for: cause, narrating: { _ in })
        } catch {
            throw .provider(error)
        }
        guard resource.metadata.authorizationServers.contains(exactly: issuer) else {
            throw .reauthorizationRequired("the server takes tokens of other authorization servers now")
        }
        do throws(ProviderDirectoryError) {
            metadata = try await resources.server(issuer, for: cause)
        } catch {
            throw .provider(ProviderError(error, at: .metadata))
        }
        let offer: ServerOffer
        do throws(ServerOffer.Unworkable) {
            offer = try ServerOffer(metadata, own: entry.client)
        } catch {
            throw .provider(.rejected(reason: "\(quoted: issuer): \(error.reason)"))
        }
        var connected = ConnectedServer(url: url.text, offer: offer, resource: resource.metadata.resource)
        let client: Client
        switch offer.membership {
        case .own:
            client = try Self.own(entry, at: connected.server.issuer)
        case .document: client = documentClient(at: issuer)
        case .registration:
            let kept: ClientRegistration?
            do {
                kept = try await registered.registration(at: place(of: entry.sourceType, at: issuer))
            } catch {
                throw .store(error)
            }
            // A new client could not use the tokens of the one before (RFC 6749 § 6).
            guard let kept else { throw .reauthorizationRequired("the broker is no client of this server any more") }
            connected = connected.authenticating(by: kept.authentication)
            client = kept.client(issuer)
        }
        guard let profile = entry.profile.found(connected.server) else {
            throw .provider(.rejected(reason: "\(ProviderEndpoint.metadata.words): an address in it cannot be used"))
        }
        return ReadySource(
            source: TenantSource(sourceType: entry.sourceType, profile: profile, client: client),
            values: connected.values(of: profile), redirect: redirectPath(of: entry, at: connected))
    }

    /// Forgets the registration that a server said it does not know (RFC 6749 § 5.2), so that the next flow makes a new
    /// one. `true` where it did say so.
    @discardableResult
    func forgetRegistration(
        after error: ProviderError, of source: TenantSource, with values: [String: String]
    ) async -> Bool {
        guard case .rejected("invalid_client"?, _, _) = error,
            let connected = ConnectedServer(values, of: source.profile), connected.membership == .registration
        else { return false }
        do {
            try await registered.forget(
                source.client.id, at: place(of: source.sourceType, at: connected.server.issuer))
        } catch {
            tell(Incident(.registrationNotForgotten, error.reason, tenant: nil, sourceType: source.sourceType))
        }
        return true
    }
}
