import Catalog
import Formats
import Secrets

extension Broker {
    /// The entry and the client of a flow that was begun at a server, by what the flow keeps; nobody is asked. `nil`
    /// where its client is gone.
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
        let issuer = connected.issuer
        switch connected.membership {
        case .document: return documentClient(at: issuer)
        case .own: return try await client(for: sourceType, of: tenant).map { Self.client($0, at: issuer) }
        case .registration:
            let kept = try await registered.registration(at: place(of: sourceType.id, at: issuer), now: now())
            return kept?.client(at: issuer)
        }
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

    /// The provider and the client for a token that a resource's authorization server issued.
    ///
    /// The resource is asked anew which servers it takes tokens of. Where the token's is none of them any more, nobody is
    /// sent anything.
    private func source(
        _ entry: TenantEntry, at url: StrictURL, _ values: [String: String], for cause: Cause
    ) async throws(ResourceError) -> ReadySource {
        let issuer = values[OAuthProfile.issuerParameter] ?? ""
        let resource = try await resource(at: url, cause)
        guard resource.metadata.authorizationServers.contains(exactly: issuer) else {
            throw .reauthorizationRequired("the server takes tokens of other authorization servers now")
        }
        let offer = try await offer(of: issuer, for: entry, cause)
        let connected = ConnectedServer(url: url.text, offer: offer, resource: resource.metadata.resource)
        guard offer.membership == .registration else {
            return try ready(
                entry, at: connected, as: Self.client(entry, at: connected) ?? documentClient(at: issuer))
        }
        let kept: ClientRegistration?
        do {
            kept = try await registered.registration(at: place(of: entry.sourceType, at: issuer), now: now())
        } catch {
            throw .store(error)
        }
        // A new client could not use the tokens of the one before (RFC 6749 § 6).
        guard let kept else { throw .reauthorizationRequired("the broker is no client of this server any more") }
        return try ready(
            entry, at: connected.authenticating(by: kept.authentication), as: kept.client(at: issuer))
    }

    private func offer(
        of issuer: String, for entry: TenantEntry, _ cause: Cause
    ) async throws(ResourceError) -> ServerOffer {
        let metadata: ProviderMetadata
        do {
            metadata = try await resources.server(issuer, for: cause)
        } catch {
            throw .provider(ProviderError(error, at: .metadata))
        }
        do {
            return try ServerOffer(metadata, own: entry.client)
        } catch {
            throw .provider(.rejected(reason: "\(quoted: issuer): \(error.reason)"))
        }
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
            try await registered.forget(source.client.id, at: place(of: source.sourceType, at: connected.issuer))
        } catch {
            tell(Incident(.registrationNotForgotten, error.reason, tenant: nil, sourceType: source.sourceType))
        }
        return true
    }
}
