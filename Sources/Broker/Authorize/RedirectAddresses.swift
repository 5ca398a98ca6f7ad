public import Catalog
public import Formats
import Secrets

/// The redirect addresses of an installation (RFC 6749 § 3.1.2): one for each authorization server and client.
///
/// At an address that two authorization servers share, one of them could get the other's codes: a hostile server sends
/// people to the honest one with a state of a flow at itself (mix-up, RFC 9700 § 4.4).
public struct RedirectAddresses: Sendable {
    private let base: String
    private let catalog: Catalog
    private let clients: [String: Client]
    private let decided = Decided()

    /// The paths of the installation's clients that were asked for: the entries behind them need not be read before.
    private final class Decided: Sendable {
        let paths = Locked<[SourceType.ID: RedirectPath]>([:])
        /// By the client's name.
        let uniform = Locked<[String: Bool]>([:])
    }

    /// Each source type's path is decided when it is asked for: the client's name where all who bear it have one token
    /// host, else the source type's.
    ///
    /// - Parameters:
    ///   - publicURL: the address at which browsers reach the broker, without a trailing slash.
    ///   - clients: the installation's, by source type or provider.
    public init(publicURL: String, catalog: Catalog, clients: [String: Client]) {
        base = publicURL + "/oauth/callback"
        self.catalog = catalog
        self.clients = clients
    }

    /// The path of the callbacks for the installation's client.
    public func path(of sourceType: SourceType.ID) -> RedirectPath {
        if let path = decided.paths.withLock({ $0[sourceType] }) { return path }
        // Decided twice at once, it comes to the same.
        let path = decidedPath(of: sourceType)
        decided.paths.withLock { $0[sourceType] = path }
        return path
    }

    private func decidedPath(of id: SourceType.ID) -> RedirectPath {
        guard let sourceType = catalog[id], sourceType.oauth != nil else { return RedirectPath(name: id.description) }
        if sourceType.oauth?.resourceParameter != nil {
            // One for each authorization server: that of a client that was set is known ahead.
            let issuer = clients.client(for: sourceType)?.parameters[OAuthProfile.issuerParameter]
            return RedirectPath(name: id.description, handle: issuer.map { RedirectHandle(issuer: $0) })
        }
        // The name to set it under counts while it has none.
        let client = clients.name(for: sourceType) ?? sourceType.suggestedClientName
        if clients[client]?.usesLegacyRedirect == true { return .legacy }
        return RedirectPath(name: haveOneServer(usersOf: client) ? client : id.description)
    }

    /// Tells whether codes for the client of this name can only go to one host.
    ///
    /// Counts all source types that bear the name: one may be named like another's provider.
    private func haveOneServer(usersOf client: String) -> Bool {
        if let known = decided.uniform.withLock({ $0[client] }) { return known }
        let origins = catalog.sourceTypes(of: [client]).map { $0.oauth?.fixedTokenOrigin }
        let isOne = origins.first.map { first in first != nil && origins.allSatisfy { $0 == first } } ?? false
        decided.uniform.withLock { $0[client] = isOne }
        return isOne
    }

    /// The path of the callbacks for a tenant's own client, whether or not there is one yet.
    ///
    /// Always with the source type's name: a change under `clients` must not move the address that a tenant registered.
    public func path(of sourceType: SourceType.ID, ownedBy tenant: TenantID) -> RedirectPath {
        RedirectPath(
            name: sourceType.description, handle: RedirectHandle(tenant: tenant, sourceType: sourceType))
    }

    /// The path of the callbacks for `client`.
    func path(of sourceType: SourceType.ID, as client: Client) -> RedirectPath {
        client.owner.map { path(of: sourceType, ownedBy: $0) } ?? path(of: sourceType)
    }

    /// The address to register at the provider, and to send as `redirect_uri`.
    public func url(_ path: RedirectPath) -> String {
        path == .legacy ? base : "\(base)/\(path)"
    }

    /// The address for the installation's client.
    public func url(of sourceType: SourceType.ID) -> String { url(path(of: sourceType)) }

    func url(of sourceType: SourceType.ID, as client: Client) -> String { url(path(of: sourceType, as: client)) }
}

extension SourceType {
    /// The name under `clients` to set its client under: the provider's, or the source type's own where operators run
    /// servers of their own, each with a client of its own.
    public var suggestedClientName: String {
        oauth?.parameters.contains(where: \.setByOperator) == true ? id.description : provider
    }
}

extension OAuthProfile {
    /// The origin that all codes are sent to; `nil` where it depends on a value, the callback, a date or metadata.
    var fixedTokenOrigin: Origin? {
        guard addresses.tokenOrigin == nil, let own = addresses.own.token?.fixedOrigin else { return nil }
        // A set without a token address leaves that of the one below.
        return addresses.sets.compactMap(\.token).allSatisfy { $0.fixedOrigin == own } ? own : nil
    }
}

extension Broker {
    /// The `redirect_uri` of a client, for calls outside of flows.
    func redirectURI(of provider: Provider, as client: Client) -> String? {
        provider.redirectURI ?? provider.profile.sourceType.map { redirects.url(of: $0, as: client) }
    }
}
