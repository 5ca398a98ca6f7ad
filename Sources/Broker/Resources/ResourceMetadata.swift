import Catalog
import Formats

/// The metadata that a protected resource publishes (RFC 9728 § 2).
struct ResourceMetadata: Sendable, Equatable {
    /// The identifier, as tokens for it are asked for (RFC 8707 § 2).
    let resource: String
    /// The issuers of the authorization servers that are looked at, the preferred one first; none twice.
    let authorizationServers: [String]
    /// All of them.
    private let listed: [String]
    /// The scopes that it knows; `nil` where it does not say.
    let scopes: [String]?

    static let sizeLimit = ProviderMetadata.sizeLimit
    /// The most authorization servers that are looked at: each costs requests.
    static let mostServers = 5

    /// Reads a document as strictly as if the resource were hostile: it decides who issues the tokens.
    ///
    /// - Parameters:
    ///   - url: the resource that was asked for it.
    ///   - takingFolders: it may be for a folder that the resource is in.
    init(json: [UInt8], of url: StrictURL, takingFolders: Bool = true) throws(ResourceMetadataError) {
        guard json.count <= Self.sizeLimit else { throw .tooLarge }
        guard let members = try? StrictJSON.object(json, by: .metadata) else { throw .notAnObject }
        let document = MetadataDocument(members: members, allowInsecure: true)
        guard let resource = document.text("resource"), Self.isResource(resource, of: url),
            takingFolders || StrictURL(resource)?.text.isExactly(url.text) == true
        else {
            throw .anotherResource(document.text("resource"))
        }
        self.resource = resource
        listed = document.texts("authorization_servers") ?? []
        var servers: [String] = []
        for issuer in listed {
            if servers.count == Self.mostServers { break }
            if !servers.contains(exactly: issuer) { servers.append(issuer) }
        }
        guard !servers.isEmpty else { throw .noServer }
        authorizationServers = servers
        scopes = document.texts("scopes_supported").map { $0.filter(Scopes.isToken) }
    }

    /// Tells whether it takes tokens of an issuer, however many others stand before it.
    func names(_ issuer: String) -> Bool { listed.contains { $0.isSameIssuer(as: issuer) } }

    /// Tells whether `resource` is the server at `url`, or all of its host, or a folder that it is in.
    ///
    /// RFC 9728 § 3.3 has them identical. Servers name their host alone for `/mcp`, and the protocol's own libraries take
    /// that, so it is taken here; another host or a neighbour's path never is.
    private static func isResource(_ resource: String, of url: StrictURL) -> Bool {
        // Servers and libraries make another path of one that goes back.
        guard let stated = StrictURL(resource), stated.origin == url.origin, !stated.hasDotSegments else {
            return false
        }
        if stated.rest.isExactly(url.rest) { return true }
        guard !stated.rest.utf8.contains(UInt8(ascii: "?")) else { return false }
        let folder = stated.rest.hasSuffix("/") ? String(stated.rest.dropLast()) : stated.rest
        let path = url.rest.utf8.prefix { $0 != UInt8(ascii: "?") }
        guard path.starts(with: folder.utf8) else { return false }
        let next = path.dropFirst(folder.utf8.count).first
        return next == nil || next == UInt8(ascii: "/")
    }

    /// The places where the document of a resource may be (RFC 9728 § 3.1): between host and path, then, as the MCP
    /// authorization specification adds, at the root.
    static func addresses(of url: StrictURL) -> [String] {
        let root = "\(url.origin)/.well-known/oauth-protected-resource"
        return ["", "/"].contains(exactly: url.rest) ? [root] : [root + url.rest, root]
    }
}

/// A reason for which a protected resource's document is not used.
enum ResourceMetadataError: Error, Equatable, Sendable {
    case tooLarge
    /// No JSON object, or one with a member twice or absurdly many.
    case notAnObject
    /// RFC 9728 § 3.3: it is another resource's; `nil` where it names none.
    case anotherResource(String?)
    /// It names no authorization server.
    case noServer
}

extension ResourceMetadataError {
    var reason: Reason {
        switch self {
        case .tooLarge: "the document is too long"
        case .notAnObject: "the document is no JSON object"
        case .anotherResource(let resource?):
            "the document is for \(quoted: resource.withoutQuery), which is another resource (RFC 9728 § 3.3)"
        case .anotherResource(nil): "the document has no \"resource\" (RFC 9728 § 3.3)"
        case .noServer: "the document names no authorization server (\"authorization_servers\")"
        }
    }
}

extension String {
    /// An address of others, for the trail and the log: a server may repeat the query that it was asked with, which is a
    /// secret at some.
    var withoutQuery: String { String(Substring(utf8.prefix { $0 != UInt8(ascii: "?") })) }
}
