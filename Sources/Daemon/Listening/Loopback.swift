package import Formats
import Glibc

/// The hosts that lead to this machine and nowhere else.
package enum Loopback {
    /// - Parameter host: IPv6 with or without brackets. Other names may lead anywhere, also those that begin with
    ///   `127.`.
    package static func contains(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host) { return true }
        var address = in_addr()
        // RFC 1122 § 3.2.1.3: all of 127/8. The first byte of the network's order is the lowest in memory.
        return inet_pton(AF_INET, host, &address) == 1 && withUnsafeBytes(of: address) { $0.first == 127 }
    }
}

extension String {
    /// An address in a finding. User information, which none of ours may have, is not told: it may hold a password.
    package var quotedAddress: String {
        guard let end = utf8.lastIndex(of: UInt8(ascii: "@")) else { return quoted }
        return "user information before \(String(self[end...]).quoted)"
    }
}

extension StrictURL {
    /// An address that paths are put behind: no query, and slashes at its end are no part of it.
    package init?(base text: String) {
        var base = text[...]
        while base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
        self.init(base)
        guard !rest.utf8.contains(UInt8(ascii: "?")) else { return nil }
    }

    /// Its scheme is https.
    package var isHTTPS: Bool { origin.description.hasPrefix("https://") }

    /// It leads to this machine.
    package var isLoopback: Bool { Loopback.contains(host) }
}
