import Broker
import Formats
import Glibc

extension Configuration {
    /// The address of a listener.
    struct Address: Hashable, CustomStringConvertible {
        var host: String
        var port: Int

        /// As in a URL: IPv6 in brackets (RFC 3986 § 3.2.2).
        var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

        /// All addresses of the machine, where it listens at no one in particular.
        var isWildcard: Bool { ["0.0.0.0", "::", ""].contains(host) }

        /// One at which this machine reaches what listens here.
        var reachable: Address { isWildcard ? Address(host: "127.0.0.1", port: port) : self }

        var isLoopback: Bool { Loopback.contains(host) }
    }
}

/// The hosts that lead to this machine and nowhere else.
enum Loopback {
    /// - Parameter host: IPv6 with or without brackets. Other names may lead anywhere, also those that begin with
    ///   `127.`.
    static func contains(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host) { return true }
        var address = in_addr()
        // RFC 1122 § 3.2.1.3: all of 127/8. The first byte of the network's order is the lowest in memory.
        return inet_pton(AF_INET, host, &address) == 1 && withUnsafeBytes(of: address) { $0.first == 127 }
    }
}

extension StrictURL {
    /// An address that paths are put behind: no query, and slashes at its end are no part of it.
    init?(base text: String) {
        var base = text[...]
        while base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
        self.init(base)
        guard !rest.utf8.contains(UInt8(ascii: "?")) else { return nil }
    }

    var isHTTPS: Bool { origin.description.hasPrefix("https://") }

    var isLoopback: Bool { Loopback.contains(host) }
}
