import Catalog
import Formats
import Secrets
import Transport

/// A reason for which a protected resource cannot be connected, or a token of it not be used.
enum ResourceError: Error, Equatable, Sendable {
    /// The resource, its authorization server or the registration there failed.
    case provider(ProviderError)
    /// The tenant caused as many registrations as it may in an hour. The first time in it, it `isNews`.
    case tooManyRegistrations(retryAfter: Int, isNews: Bool)
    /// The resource takes tokens of other authorization servers now, the broker is no client of this one any more, or
    /// its token endpoint is elsewhere: tokens that it issued are sent to nobody.
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
    ///
    /// Also where a part of its path goes back: servers and libraries make another path of it than the one that is
    /// compared.
    func resource(in values: [String: String]) -> StrictURL? {
        profile.resourceParameter.flatMap { values[$0] }.flatMap { StrictURL($0) }
            .flatMap { $0.hasDotSegments ? nil : $0 }
    }
}

extension Broker {
    /// Finds the authorization server of a resource, and becomes a client there.
    ///
    /// - Parameter scopes: those that the caller names.
    func connect(
        _ entry: TenantEntry, to url: StrictURL, scopes: [String]?, of tenant: TenantID, for cause: Cause
    ) async throws(ResourceError) -> ReadySource {
        let (resource, offer) = try await offer(of: url, for: entry, cause)
        let always = entry.profile.alwaysScopes
        let published = [(offer.metadata.scopes ?? []).prefix(200).filter(Scopes.isToken), resource.published, always]
            .reduce([], Scopes.union).inBytes(2048)
        let client = try await client(
            at: offer, for: entry, of: tenant, published: published,
            wanted: Scopes.union(scopes ?? [], always), cause)
        return try ready(entry, at: resource, offer.metadata, as: client, scopes: resource.scopes)
    }

    /// What a resource says of itself, and the first of its authorization servers that the broker can work with.
    func offer(
        of url: StrictURL, for entry: TenantEntry, _ cause: Cause,
        narrating: @escaping ResourceDirectory.Narrator = { _ in }
    ) async throws(ResourceError) -> (FoundResource, ServerOffer) {
        let resource = try await resource(at: url, cause, narrating)
        var missing: [Reason] = []
        var failure: ProviderError?
        for issuer in resource.metadata.authorizationServers {
            let fault: Reason
            do throws(ProviderDirectoryError) {
                let metadata = try await resources.server(issuer, for: cause)
                narrating("authorization server \(quoted: issuer): its metadata was found")
                do throws(ServerOffer.Unworkable) {
                    return (resource, try offer(metadata, for: entry))
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
            guard cause.isOver(at: steadyNow()) else { continue }
            // The person has waited long enough.
            if issuer != resource.metadata.authorizationServers.last {
                missing.append("the others were not asked, since these took too long")
            }
            break
        }
        // One that is down may be up again; what is missing stays missing.
        if missing.count == 1, let failure { throw .provider(failure) }
        let all = missing.dropFirst().reduce(missing.first ?? "none") { "\($0); \($1)" }
        throw .provider(.rejected(reason: "no authorization server of the resource can be worked with: \(all)"))
    }

    /// Throws where the broker cannot work with the server.
    func offer(_ metadata: ProviderMetadata, for entry: TenantEntry) throws(ServerOffer.Unworkable) -> ServerOffer {
        let documents = settings.resources.usesDocuments(at: settings.publicURL, isTrial: catalog.allowsInsecure)
        return try ServerOffer(metadata, own: entry.client, documents: documents)
    }

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
        _ entry: TenantEntry, at resource: FoundResource, _ metadata: ProviderMetadata, as client: ResourceClient,
        scopes: [String]? = nil
    ) throws(ResourceError) -> ReadySource {
        guard
            let connected = ConnectedServer(
                url: resource.url.text, resource: resource.metadata.resource, metadata, as: client),
            let profile = entry.profile.found(connected.server)
        else {
            throw .provider(.rejected(reason: "\(ProviderEndpoint.metadata.words): an address in it cannot be used"))
        }
        return ReadySource(
            source: TenantSource(sourceType: entry.sourceType, profile: profile, client: client.client),
            values: connected.values(of: profile), scopes: scopes, redirect: client.redirect)
    }
}
