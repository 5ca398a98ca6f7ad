public import Formats

/// The protected resources, such as MCP servers, that tenants may connect: those at the hosts that the operator named
/// (`mcp.servers`). The host is the caller's choice, so none may be connected unless named.
public struct ResourceServers: Sendable {
    /// The hosts; empty: no server may be connected.
    public var hosts: [HostPattern]
    /// True if the broker may be known by client ID metadata documents (`usesDocuments`); else it registers
    /// where servers would take either.
    public var clientDocuments = true

    /// Without arguments: no server may be connected.
    public init(_ hosts: [HostPattern] = []) {
        self.hosts = hosts
    }

    /// Tells whether a broker at an address is known by documents of its own. The draft wants their addresses to be https
    /// (draft-ietf-oauth-client-id-metadata-document § 3).
    ///
    /// - Parameter isTrial: http addresses are permitted.
    func usesDocuments(at publicURL: StrictURL, isTrial: Bool) -> Bool {
        clientDocuments && (isTrial || publicURL.text.hasPrefix("https://"))
    }

    /// Tells whether a server at this address may be connected.
    public func allows(_ url: StrictURL) -> Bool { hosts.contains { $0.matches(url) } }
}
