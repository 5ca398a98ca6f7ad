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
        switch connected.approach {
        case .preregistered: return try await client(for: sourceType, of: tenant).map { Self.client($0, at: issuer) }
        case .metadataDocument, .dynamicRegistration:
            return try await registrations(of: sourceType.id, at: issuer, for: tenant)
                .first { $0.registration.id.isExactly(connected.clientID) }?.registration.client(at: issuer)
        }
    }

    /// The provider and the client for a call outside of flows.
    func source(
        _ entry: TenantEntry, _ values: [String: String], of tenant: TenantID, for cause: Cause
    ) async throws(ResourceError) -> ReadySource {
        if let url = entry.resource(in: values) {
            let issuer = values[OAuthProfile.issuerParameter] ?? ""
            return try await source(entry, at: url, issuer: issuer, of: tenant, for: cause)
        }
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
        _ entry: TenantEntry, at url: StrictURL, issuer: String, of tenant: TenantID, for cause: Cause
    ) async throws(ResourceError) -> ReadySource {
        let resource = try await resource(at: url, cause)
        guard resource.metadata.names(issuer) else {
            throw .reauthorizationRequired("the server takes tokens of other authorization servers now")
        }
        let metadata: ProviderMetadata
        do {
            metadata = try await resources.server(issuer, for: cause)
        } catch {
            throw .provider(ProviderError(error, at: .metadata))
        }
        // The broker's client is kept under the metadata's spelling, which flows hand out. Under the other one a hostile
        // server could have had another kept.
        guard metadata.issuer.isExactly(issuer) else {
            throw .reauthorizationRequired("the server's issuer differs by the slash at the end from the token's")
        }
        let client = try await client(for: entry, at: metadata, of: tenant)
        return try ready(entry, at: resource, metadata, as: client)
    }

    /// The client that the token was issued to: a new one could not use it (RFC 6749 § 6), whatever the server offers
    /// now. A client that was set for the issuer comes first, as in flows.
    private func client(
        for entry: TenantEntry, at metadata: ProviderMetadata, of tenant: TenantID
    ) async throws(ResourceError) -> ResourceClient {
        let issuer = metadata.issuer
        var own: ResourceClient?
        var fault: ServerOffer.Unworkable?
        do {
            switch try offer(metadata, for: entry).approach {
            case .preregistered(let method):
                own = entry.client.map { preregistered($0, by: method, at: issuer, of: entry.sourceType) }
            case .metadataDocument where metadata.issuesOwnTokens:
                // It is known by its address, also where a version of before kept nothing of it.
                let redirect = redirect(of: entry.sourceType, at: issuer)
                own = ClientRegistration.document(clientDocumentURL(redirect.handle)).client(at: redirect)
            case .metadataDocument, .dynamicRegistration: break
            }
        } catch {
            fault = error
        }
        let isSet = entry.client?.isRegistered(at: issuer) == true
        if isSet, let own { return own }
        if isSet, let fault { throw .provider(.rejected(reason: "\(quoted: issuer): \(fault.reason)")) }
        let kept: [Kept]
        do {
            kept = try await registrations(of: entry.sourceType, at: issuer, for: tenant)
        } catch {
            throw .store(error)
        }
        if let reason = Self.moved(kept, metadata) { throw .reauthorizationRequired(reason) }
        if let kept = kept.first { return kept.registration.client(at: kept.redirect) }
        guard let own else { throw .reauthorizationRequired("the broker is no client of this server any more") }
        return own
    }

    /// Notes what a token endpoint said of the broker's own registration: that it does not know it (RFC 6749 § 5.2), or
    /// by an answer that it does. `true` where it goes on saying that it does not.
    ///
    /// - Parameter inFlow: it answered the exchange of a flow's code.
    @discardableResult
    func noteClient(
        _ error: ProviderError?, of source: TenantSource, with values: [String: String], of tenant: TenantID,
        inFlow: Bool = false
    ) async -> Bool {
        guard let connected = ConnectedServer(values, of: source.profile), connected.approach == .dynamicRegistration
        else { return false }
        let isRefused: Bool
        switch error {
        case nil: isRefused = false
        case .rejected("invalid_client"?, _, _)?: isRefused = true
        default: return false
        }
        do throws(StoreError) {
            for kept in try await registrations(of: source.sourceType, at: connected.issuer, for: tenant)
            where kept.registration.id.isExactly(source.client.id) {
                return try await registered.note(
                    isRefused: isRefused, isFinal: inFlow, kept.registration, at: kept.redirect.place, now: now())
            }
        } catch {
            tell(Incident(.registrationNotNoted, error.reason, tenant: nil, sourceType: source.sourceType))
        }
        return false
    }
}

extension ClientRegistration {
    /// The reason where its tokens may not be sent to the token endpoint.
    func moved(_ metadata: ProviderMetadata) -> Reason {
        let (before, now) = (tokenOrigin?.description ?? "", metadata.tokenOrigin?.description ?? "")
        return
            "\(quoted: metadata.issuer): its token endpoint was at \(quoted: before), another host than its own, and is at \(quoted: now) now: what was issued before may be another server's (clients, parameters.issuer, for one that you trust)"
    }
}
