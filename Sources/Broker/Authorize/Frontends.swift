public import Formats

/// The pages that flows talk to and end at, by tenant.
///
/// A provider that remembers a person's consent to a shared client ends a flow of another tenant without asking, so
/// what a tenant began must be delivered to that tenant's pages alone.
public struct Frontends: Sendable {
    /// For tenants without lists of their own.
    public var general: Frontend
    public var tenants: [TenantID: Frontend]

    public init(general: Frontend, tenants: [TenantID: Frontend] = [:]) {
        self.general = general
        self.tenants = tenants
    }

    public init(origins: [Origin]) {
        self.init(general: Frontend(origins: origins.map { OriginPattern($0) }))
    }

    public subscript(tenant: TenantID) -> Frontend { tenants[tenant] ?? general }

    /// For a tenant as a path names it.
    public subscript(name name: Substring) -> Frontend {
        // Nearly everyone has no list of a tenant's own, and this is asked in every request.
        tenants.isEmpty ? general : TenantID(name).map { self[$0] } ?? general
    }
}

/// One list of pages.
public struct Frontend: Sendable {
    public let origins: [OriginPattern]
    /// The exact addresses; empty: any address at one of `origins`.
    public let returnURLs: [ReturnURL]
    private let named: Set<Origin>

    public init(origins: [OriginPattern], returnURLs: [ReturnURL] = []) {
        self.origins = origins
        self.returnURLs = returnURLs
        named = Set(origins.compactMap(\.origin))
    }

    public func allows(_ origin: Origin) -> Bool {
        named.contains(origin) || origins.contains { $0.origin == nil && $0.matches(origin) }
    }

    /// The origin of a flow whose caller names none. Never one that a `*` stands for: which would it be?
    var usual: Origin? { origins.lazy.compactMap(\.origin).first }

    func allows(_ url: ReturnURL, given: String) -> Bool {
        // RFC 9700 § 4.1.3: byte for byte, as it came.
        if !returnURLs.isEmpty { return returnURLs.contains { $0.text.isExactly(given) } }
        return url.origin.map(allows) ?? false
    }
}
