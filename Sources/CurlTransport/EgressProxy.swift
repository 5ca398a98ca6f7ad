public import Formats
public import Secrets

extension Use {
    /// The password of an egress proxy (RFC 7617 § 2).
    public enum ProxyPassword {}
}

/// The password that a proxy wants (RFC 9110 § 11.7).
public typealias ProxyPassword = Secret<Use.ProxyPassword>

/// The way out of a network that has no other: an HTTP proxy that the operator names.
///
/// It resolves the names, so where they lead can be checked here no more.
public struct EgressProxy: Sendable {
    /// Its address, without user information.
    let url: String
    let user: String?
    let password: ProxyPassword?
    let exceptions: [ProxyException]

    /// - Parameters:
    ///   - origin: http or https, by which the proxy itself is spoken to.
    ///   - exceptions: the hosts that are asked directly.
    public init(
        _ origin: Origin, user: String? = nil, password: ProxyPassword? = nil, exceptions: [ProxyException] = []
    ) {
        // libcurl's usual port for a proxy is 1080, whatever its scheme.
        let text = origin.description
        let hasPort = StrictURL(text).map { !text.hasSuffix("//\($0.host)") } ?? false
        url = hasPort ? text : "\(text):\(text.hasPrefix("https://") ? 443 : 80)"
        self.user = user
        self.password = password
        self.exceptions = exceptions
    }

    /// - Parameter host: IPv6 in brackets.
    func isPassedBy(_ host: String) -> Bool { exceptions.contains { $0.covers(host) } }
}

/// Hosts that are asked without the proxy: a name with all below it, or a network.
public struct ProxyException: Hashable, Sendable {
    private enum Kind: Hashable {
        /// In small letters.
        case name(String)
        case network(CIDR)
    }

    private let kind: Kind

    /// `internal.example.com` (a dot or `*.` before it means the same), `10.0.0.0/8` or `fd00::1`; `nil` for anything
    /// else.
    public init?(_ text: String) {
        if let network = CIDR(text) {
            kind = .network(network)
            return
        }
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text.hasPrefix(".") ? text.dropFirst() : text[...]
        guard let host = StrictURL("https://\(name)")?.host, host.utf8.elementsEqual(name.lowercased().utf8) else {
            return nil
        }
        kind = .name(host)
    }

    private init(name: String) { kind = .name(name) }

    /// RFC 6761 § 6.3: this machine, whoever resolves it.
    static let localhost = ProxyException(name: "localhost")

    /// - Parameter host: in small letters, IPv6 in brackets.
    func covers(_ host: String) -> Bool {
        switch kind {
        case .name(let name):
            host.isExactly(name) || host.utf8.suffix(name.utf8.count + 1).elementsEqual(".\(name)".utf8)
        case .network(let network): IPAddress(host: host).map(network.contains) ?? false
        }
    }
}

extension IPAddress {
    /// The address that a URL's host is; `nil` for a name.
    init?(host: String) {
        self.init(host.hasPrefix("[") ? host.dropFirst().dropLast() : host[...])
    }
}
