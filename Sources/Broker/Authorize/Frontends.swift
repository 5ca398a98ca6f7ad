public import Formats

/// The pages that flows send messages to and end at, by tenant.
///
/// A provider that remembers a person's consent to a shared client completes another tenant's flow without asking, so a
/// flow's result must be delivered to the pages of the flow's own tenant alone.
public struct Frontends: Sendable {
    /// The list for tenants without one of their own.
    public var general: Frontend
    /// The lists of single tenants, each in place of `general`, not beside it.
    public var tenants: [TenantID: Frontend]

    /// Checks nothing; the configuration's reader does.
    public init(general: Frontend, tenants: [TenantID: Frontend] = [:]) {
        self.general = general
        self.tenants = tenants
    }

    /// The same exact origins for all tenants, and any return address at them.
    public init(origins: [Origin]) {
        self.init(general: Frontend(origins: origins.map { OriginPattern($0) }))
    }

    /// The list that counts for a tenant.
    public subscript(tenant: TenantID) -> Frontend { tenants[tenant] ?? general }

    /// The list for a tenant by its name in a path, such as for CORS; `general` where the name is none.
    public subscript(name name: Substring) -> Frontend {
        // Nearly everyone has no list of a tenant's own, and this is asked in every request.
        tenants.isEmpty ? general : TenantID(name).map { self[$0] } ?? general
    }
}

/// The pages of one tenant, or of all without a list of their own.
public struct Frontend: Sendable {
    /// The origins that may call the API, begin flows and get their messages. The first without `*` is the default.
    public let origins: [OriginPattern]
    /// The exact return addresses; empty: any address at one of `origins`.
    public let returnURLs: [ReturnURL]
    private let named: Set<Origin>

    /// Indexes the exact origins, since one is looked up in every request with an `Origin` header.
    public init(origins: [OriginPattern], returnURLs: [ReturnURL] = []) {
        self.origins = origins
        self.returnURLs = returnURLs
        named = Set(origins.compactMap(\.origin))
    }

    /// Tells whether an origin is one of the list, for CORS and for a flow's frontend.
    public func allows(_ origin: Origin) -> Bool {
        named.contains(origin) || origins.contains { $0.origin == nil && $0.matches(origin) }
    }

    /// The origin of a flow whose caller names none: the first exact one. A pattern with `*` names no one origin.
    var usual: Origin? { origins.lazy.compactMap(\.origin).first }

    func allows(_ url: ReturnURL, given: String) -> Bool {
        // RFC 9700 § 4.1.3: byte for byte, as it came.
        if !returnURLs.isEmpty { return returnURLs.contains { $0.text.isExactly(given) } }
        return url.origin.map(allows) ?? false
    }
}
