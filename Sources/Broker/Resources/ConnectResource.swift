import Catalog
import Formats
import Secrets
import Transport

/// A reason for which a protected resource cannot be connected, or a token of it not be used.
enum ResourceError: Error, Equatable, Sendable {
    /// The resource, its authorization server or the registration there failed.
    case provider(ProviderError)
    /// The resource takes tokens of other authorization servers now, or the broker is no client of this one any more:
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
    /// Finds the authorization server of a resource, and becomes a client there: a registration is made where one is
    /// needed.
    ///
    /// - Parameter scopes: those that the caller names.
    func connect(
        _ entry: TenantEntry, to url: StrictURL, scopes: [String]?, for cause: Cause
    ) async throws(ResourceError) -> ReadySource {
        let (resource, offer) = try await offer(of: url, for: entry, cause)
        let connected = ConnectedServer(url: url.text, offer: offer, resource: resource.metadata.resource)
        guard offer.membership == .registration else {
            return try ready(
                entry, at: connected, as: Self.client(entry, at: connected) ?? documentClient(at: connected.issuer),
                scopes: resource.scopes)
        }
        let place = place(of: entry.sourceType, at: connected.issuer)
        // It serves all tenants, whatever the first of them names.
        let asked = Scopes.union(resource.scopes, scopes ?? entry.client?.scopes ?? [])
        let registration = try await registered.registration(at: place, for: cause.account, now: now) {
            [self] () async throws(ProviderError) in
            try await register(at: place, offer, scopes: asked, for: cause)
        }
        return try ready(
            entry, at: connected.authenticating(by: registration.authentication),
            as: registration.client(at: place.issuer), scopes: resource.scopes)
    }

    /// What a resource says of itself, and the first of its authorization servers that the broker can work with.
    func offer(
        of url: StrictURL, for entry: TenantEntry, _ cause: Cause,
        narrating: @escaping ResourceDirectory.Narrator = { _ in }
    ) async throws(ResourceError) -> (FoundResource, ServerOffer) {
        let resource = try await resource(at: url, cause, narrating)
        var missing: [Reason] = []
        var failure: ProviderError?
        let end = steadyNow() + Self.longestSearch
        for issuer in resource.metadata.authorizationServers {
            guard missing.isEmpty || steadyNow() < end else {
                missing.append("the others were not asked, since these took too long")
                break
            }
            let fault: Reason
            do throws(ProviderDirectoryError) {
                let metadata = try await resources.server(issuer, for: cause)
                narrating("authorization server \(quoted: issuer): its metadata was found")
                do throws(ServerOffer.Unworkable) {
                    return (resource, try ServerOffer(metadata, own: entry.client))
                } catch {
                    fault = error.reason
                }
            } catch {
                // That the broker has too much to do says nothing of the server.
                if case .transport(let why) = error,
                    [TransportError.rateLimited, .cancelled, .overloaded].contains(why)
                {
                    throw .provider(ProviderError(error, at: .metadata))
                }
                fault = error.reason(.metadata)
                if case .transport = error { failure = failure ?? ProviderError(error, at: .metadata) }
            }
            narrating("authorization server \(quoted: issuer) cannot be used: \(fault)")
            missing.append("\(quoted: issuer): \(fault)")
        }
        // One that is down may be up again; what is missing stays missing.
        if missing.count == 1, let failure { throw .provider(failure) }
        let all = missing.dropFirst().reduce(missing.first ?? "none") { "\($0); \($1)" }
        throw .provider(.rejected(reason: "no authorization server of the resource can be worked with: \(all)"))
    }

    /// The time after which no further authorization server is asked: a person waits.
    private static let longestSearch = Duration.seconds(20)

    func resource(
        at url: StrictURL, _ cause: Cause, _ narrating: ResourceDirectory.Narrator = { _ in }
    ) async throws(ResourceError) -> FoundResource {
        do {
            return try await resources.resource(at: url, for: cause, narrating: narrating)
        } catch {
            throw .provider(error)
        }
    }

    /// The source as if the catalog had named the server.
    func ready(
        _ entry: TenantEntry, at connected: ConnectedServer, as client: Client, scopes: [String]? = nil
    ) throws(ResourceError) -> ReadySource {
        guard let profile = entry.profile.found(connected.server) else {
            throw .provider(.rejected(reason: "\(ProviderEndpoint.metadata.words): an address in it cannot be used"))
        }
        // A tenant's own client has an address that was known before it was.
        let redirect =
            client.owner == nil
            ? RedirectPath(name: entry.sourceType.description, handle: RedirectHandle(issuer: connected.issuer))
            : redirects.path(of: entry.sourceType, as: client)
        return ReadySource(
            source: TenantSource(sourceType: entry.sourceType, profile: profile, client: client),
            values: connected.values(of: profile), scopes: scopes, redirect: redirect)
    }

    // MARK: clients

    /// The client that was set, where the server is to be asked by that; else `nil`.
    static func client(_ entry: TenantEntry, at connected: ConnectedServer) -> Client? {
        connected.membership == .own ? entry.client.map { client($0, at: connected.issuer) } : nil
    }

    /// A client that was set. One that names no issuer goes, without a secret, to whichever is asked.
    static func client(_ own: Client, at issuer: String) -> Client {
        own.parameters[OAuthProfile.issuerParameter] == nil
            ? Client(id: own.id, secret: nil, parameters: [OAuthProfile.issuerParameter: issuer]) : own
    }

    /// The client that is known by its document.
    func documentClient(at issuer: String) -> Client {
        Client(
            id: clientDocumentURL(RedirectHandle(issuer: issuer)), secret: nil,
            parameters: [OAuthProfile.issuerParameter: issuer])
    }

    /// Where the registration at an issuer is kept.
    func place(of sourceType: SourceType.ID, at issuer: String) -> ClientRegistration.Place {
        let path = RedirectPath(name: sourceType.description, handle: RedirectHandle(issuer: issuer))
        return ClientRegistration.Place(issuer: issuer, redirectURI: redirects.url(path))
    }

    private func register(
        at place: ClientRegistration.Place, _ offer: ServerOffer, scopes: [String], for cause: Cause
    ) async throws(ProviderError) -> ClientRegistration {
        let description = ClientDescription(redirectURIs: [place.redirectURI], publicURL: settings.publicURL)
        // Some servers hold a client to the scopes that it named: then it needs all that anybody may ask for.
        let known = Scopes.union([], Array((offer.metadata.scopes ?? []).prefix(200).filter(Scopes.isToken)))
        var named = Array(Scopes.union(known, scopes).prefix(200))
        while true {
            let request = ClientRegistration.Request(
                description, at: offer.metadata.registrationEndpoint ?? "", by: offer.authentication, scopes: named)
            let response: ProviderResponse
            do {
                // In the share of whoever asks: a server that hangs must not keep others from keys and metadata.
                response = try await transport.send(ProviderRequest(request.http, cause: cause))
            } catch {
                throw ProviderError(error, at: .registration)
            }
            do {
                return try request.registration(response, now: now())
            } catch {
                // It may be one of the scopes that is not to its liking.
                if case .refused(_, "invalid_client_metadata"?) = error, !named.isEmpty {
                    // One caller's wrong scope must not cost all the others those that the server knows.
                    named = named.count > known.count ? known : []
                    continue
                }
                throw .rejected(reason: "\(ProviderEndpoint.registration.words): \(error.reason)")
            }
        }
    }
}
