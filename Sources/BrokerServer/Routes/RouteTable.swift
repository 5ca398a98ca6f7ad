import HTTPTypes
import Hummingbird

typealias Handler = @Sendable (Request, Context, PathNames) async throws -> Response

/// The names in a path, as they came; empty on routes without them.
struct PathNames {
    let name: Substring
    var sourceType: Substring = ""
    /// The rest of the path after `/oauth/callback/`.
    var redirect: Substring = ""
}

/// One address: what answers each method, and what it is called in logs.
struct Route {
    /// The path with names for its variable parts. Never what a caller sent.
    let template: String
    let handlers: [HTTPRequest.Method: Handler]
    /// Pages of configured origins may call it.
    var isShared = false
    /// Pages of any origin may read it.
    var isPublic = false
    let meter: RouteMeter

    init(template: String, handlers: [HTTPRequest.Method: Handler], isShared: Bool = false, isPublic: Bool = false) {
        self.template = template
        self.handlers = handlers
        self.isShared = isShared
        self.isPublic = isPublic
        meter = RouteMeter(template)
    }

    var allowed: [HTTPRequest.Method] {
        var methods = Set(handlers.keys)
        if methods.contains(.get) { methods.insert(.head) }
        methods.insert(.options)
        return methods.sorted { $0.rawValue < $1.rawValue }
    }
}

/// Finds the route of a path. There are few addresses: a dictionary each for those with and without a tenant, and a
/// look at the names in callbacks and tenants' clients, is all it takes, and tells 404 from 405.
struct RouteTable {
    private let base: String
    private let plain: [Substring: Route]
    private let tenant: [Substring: Route]
    private let client: Route?

    /// - Parameters:
    ///   - base: the path of the public address: a proxy may pass it on or strip it.
    ///   - tenant: by what follows `/v1/tenants/{tenant}/`.
    ///   - client: of one tenant and source type.
    init(base: String, plain: [Route], tenant: [Route], client: Route? = nil) {
        self.client = client
        self.base = base
        self.plain = Dictionary(plain.map { ($0.template[...], $0) }) { first, _ in first }
        let prefix = Self.tenantPrefix + "{tenant}/"
        self.tenant = Dictionary(tenant.map { ($0.template.dropFirst(prefix.count), $0) }) { first, _ in first }
    }

    private static let tenantPrefix = "/v1/tenants/"
    private static let adminPrefix = "/v1/admin/tenants/"
    private static let callback = "/oauth/callback"
    /// By how many names follow.
    private static let callbackTemplates = [callback, callback + "/{name}", callback + "/{name}/{handle}"]

    func find(_ path: String) -> (Route, PathNames)? {
        if let found = lookUp(path[...]) { return found }
        guard !base.isEmpty else { return nil }
        return path[...].rest(after: base).flatMap(lookUp)
    }

    private func lookUp(_ path: Substring) -> (Route, PathNames)? {
        if let rest = path.rest(after: Self.tenantPrefix) {
            guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
            let name = rest[rest.index(after: slash)...]
            // Some clients encode the colon, which means the same (RFC 3986 § 2.2).
            let route = tenant[name] ?? (name.utf8.contains(UInt8(ascii: "%")) ? tenant[Self.decodeColon(name)] : nil)
            return route.map { ($0, PathNames(name: rest[..<slash])) }
        }
        if let client, let rest = path.rest(after: Self.adminPrefix) {
            let names = rest.split(separator: "/", omittingEmptySubsequences: false)
            guard names.count == 3, names[1] == "clients" else { return nil }
            return (client, PathNames(name: names[0], sourceType: names[2]))
        }
        if let found = path.rest(after: Self.callback).flatMap(lookUpCallback) { return found }
        return plain[path].map { ($0, PathNames(name: "")) }
    }

    /// A slash at the end means the same address: some providers add one to what was registered.
    private func lookUpCallback(_ rest: Substring) -> (Route, PathNames)? {
        guard rest.isEmpty || rest.utf8.first == UInt8(ascii: "/") else { return nil }
        var names = Substring(rest.utf8.dropFirst())
        if names.utf8.last == UInt8(ascii: "/") { names = Substring(names.utf8.dropLast()) }
        let count = names.isEmpty ? 0 : names.utf8.count { $0 == UInt8(ascii: "/") } + 1
        guard count < Self.callbackTemplates.count else { return nil }
        return plain[Self.callbackTemplates[count][...]].map { ($0, PathNames(name: "", redirect: names)) }
    }

    private static func decodeColon(_ name: Substring) -> Substring {
        guard let escape = name.firstIndex(of: "%"),
            let end = name.index(escape, offsetBy: 3, limitedBy: name.endIndex),
            name[escape..<end].uppercased() == "%3A"
        else { return name }
        return name[..<escape] + ":" + name[end...]
    }
}

extension Substring {
    /// Byte by byte: a path is ASCII, and `hasPrefix` would look for equivalent spellings.
    fileprivate func rest(after prefix: String) -> Substring? {
        utf8.starts(with: prefix.utf8) ? self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...] : nil
    }
}
