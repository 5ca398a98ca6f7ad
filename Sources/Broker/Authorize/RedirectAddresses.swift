public import Catalog
import Formats

/// The redirect addresses of an installation (RFC 6749 § 3.1.2): one for each authorization server and client.
///
/// An address that two authorization servers share lets one of them have the other's codes: whoever runs the one sends
/// people to the honest other with a state of his own (RFC 9700 § 4.4).
public struct RedirectAddresses: Sendable {
    private let base: String
    /// The installation's clients'.
    private let shared: [SourceType.ID: RedirectPath]

    /// - Parameters:
    ///   - publicURL: where browsers reach the broker, without a trailing slash.
    ///   - clients: by source type or provider.
    public init(publicURL: String, catalog: Catalog, clients: [String: Client]) {
        base = publicURL + "/oauth/callback"
        let sourceTypes = catalog.sourceTypes.filter { $0.oauth != nil }
        var uniform: [String: Bool] = [:]
        var shared: [SourceType.ID: RedirectPath] = [:]
        for sourceType in sourceTypes {
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
    /// Counts all that bear the name: a source type may be called as another's provider is.
    private static func haveOneServer(_ sourceTypes: [SourceType], usersOf client: String) -> Bool {
        let users = sourceTypes.filter { $0.provider == client || $0.id.description == client }
        let origins = users.map { $0.oauth?.fixedTokenOrigin }
        guard let first = origins.first, first != nil else { return false }
        return origins.allSatisfy { $0 == first }
    }

    /// The path to which flows of the installation's client come back.
    public func path(of sourceType: SourceType.ID) -> RedirectPath {
        shared[sourceType] ?? RedirectPath(name: sourceType.description)
    }

    /// The path to which flows of a tenant's own client come back, whether or not there is one yet.
    ///
    /// The source type's name always: what the operator sets under `clients` must not move what tenants registered.
    public func path(of sourceType: SourceType.ID, ownedBy tenant: TenantID) -> RedirectPath {
        RedirectPath(
            name: sourceType.description, handle: RedirectHandle(tenant: tenant, sourceType: sourceType))
    }

    /// The path to which flows of `client` come back.
    func path(of sourceType: SourceType.ID, as client: Client) -> RedirectPath {
        client.owner.map { path(of: sourceType, ownedBy: $0) } ?? path(of: sourceType)
    }

    public func url(_ path: RedirectPath) -> String {
        path == .legacy ? base : "\(base)/\(path)"
    }

    public func url(of sourceType: SourceType.ID) -> String { url(path(of: sourceType)) }

    func url(of sourceType: SourceType.ID, as client: Client) -> String { url(path(of: sourceType, as: client)) }
}

extension SourceType {
    /// The name under which to set its client. A server of one's own has a client of its own, whoever else bears the
    /// provider's name.
    public var suggestedClientName: String {
        oauth?.parameters.contains(where: \.setByOperator) == true ? id.description : provider
    }
}

extension OAuthProfile {
    /// The origin that all codes go to; `nil` where a value, the callback, a date or the provider's metadata says.
    var fixedTokenOrigin: Origin? {
        guard addresses.tokenOrigin == nil, let own = addresses.own.token?.fixedOrigin else { return nil }
        // A set without a token address leaves that of the one below.
        return addresses.sets.compactMap(\.token).allSatisfy { $0.fixedOrigin == own } ? own : nil
    }
}
