/// The address of a listener.
package struct ListenerAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address; IPv6 without brackets.
    package var host: String
    /// 1 to 65535.
    package var port: Int

    /// Checks nothing; the settings' reader does.
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// As in a URL: IPv6 in brackets (RFC 3986 § 3.2.2).
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// All addresses of the machine, where it listens at no one in particular.
    package var isWildcard: Bool { ["0.0.0.0", "::", ""].contains(host) }

    /// One at which this machine reaches what listens here.
    package var reachable: ListenerAddress { isWildcard ? ListenerAddress(host: "127.0.0.1", port: port) : self }

    /// Only this machine reaches it.
    package var isLoopback: Bool { Loopback.contains(host) }
}
