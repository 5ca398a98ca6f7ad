public import Catalog
public import Formats

/// The redirect addresses of an installation (RFC 6749 § 3.1.2): one for each authorization server and client.
///
/// At an address that two authorization servers share, one of them could get the other's codes: a hostile server sends
/// people to the honest one with a state of a flow at itself (mix-up, RFC 9700 § 4.4).
public struct RedirectAddresses: Sendable {
    private let base: String
    /// The paths of the installation's clients.
    private let shared: [SourceType.ID: RedirectPath]

    /// Decides each source type's path: the client's name where all who bear it have one token host, else the source
    /// type's.
    ///
    /// - Parameters:
    ///   - publicURL: the address at which browsers reach the broker, without a trailing slash.
    ///   - clients: the installation's, by source type or provider.
    public init(publicURL: String, catalog: Catalog, clients: [String: Client]) {
        base = publicURL + "/oauth/callback"
        let sourceTypes = catalog.sourceTypes.filter { $0.oauth != nil }
        var uniform: [String: Bool] = [:]
        var shared: [SourceType.ID: RedirectPath] = [:]
        for sourceType in sourceTypes {
            if sourceType.oauth?.resourceParameter != nil {
                // One for each authorization server: that of a client that was set is known ahead.
                let issuer = clients.client(for: sourceType)?.parameters[OAuthProfile.issuerParameter]
                shared[sourceType.id] = RedirectPath(
                    name: sourceType.id.description, handle: issuer.map { RedirectHandle(issuer: $0) })
                continue
            }
            // Where it has none yet, the one to set it under.
            let client = clients.name(for: sourceType) ?? sourceType.suggestedClientName
            if clients[client]?.usesLegacyRedirect == true {
                shared[sourceType.id] = .legacy
                continue
            }
            let hasOneServer = uniform[client] ?? Self.haveOneServer(sourceTypes, usersOf: client)
            uniform[client] = hasOneServer
            shared[sourceType.id] = RedirectPath(name: hasOneServer ? client : sourceType.id.description)
        }
        self.shared = shared
    }

    /// Tells whether codes for the client of this name can only go to one host.
    ///
    /// Counts all source types that bear the name: one may be named like another's provider.
    private static func haveOneServer(_ sourceTypes: [SourceType], usersOf client: String) -> Bool {
        let users = sourceTypes.filter { $0.provider == client || $0.id.description == client }
        let origins = users.map { $0.oauth?.fixedTokenOrigin }
        guard let first = origins.first, first != nil else { return false }
        return origins.allSatisfy { $0 == first }
    }

    /// The path of the callbacks for the installation's client.
    public func path(of sourceType: SourceType.ID) -> RedirectPath {
        shared[sourceType] ?? RedirectPath(name: sourceType.description)
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
    /// The redirect address of a client, for calls outside of flows.
    func redirectURI(of profile: OAuthProfile, as client: Client) -> String? {
        profile.sourceType.map { redirects.url(of: $0, as: client) }
    }
}
