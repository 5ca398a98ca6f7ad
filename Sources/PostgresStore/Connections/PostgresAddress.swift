import Foundation
import Secrets

/// The place of a database, as `storage.url` names it: `postgres://user@host1,host2:port/database?sslmode=…`.
///
/// Read here and not by libpq, whose complaints quote the password. None is taken in the address itself.
public struct PostgresAddress: Sendable, Equatable {
    /// One server of several, which are tried in turn until one takes writes.
    public struct Host: Sendable, Equatable {
        /// A name or an address; a folder where it begins with a slash: that of the server's socket.
        public let name: String
        /// Its port.
        public let port: Int

        var isSocket: Bool { name.hasPrefix("/") }

        /// True for sockets and loopback: nothing on the way can listen.
        var isLocal: Bool {
            isSocket || name == "localhost" || name == "::1"
                || (name.hasPrefix("127.") && name.allSatisfy { $0.isNumber || $0 == "." })
        }
    }

    /// The servers, at least one.
    public let hosts: [Host]
    /// The role to log in as.
    public let user: String
    /// The database's name.
    public let database: String
    /// libpq's `sslmode`; `nil` where the address says none: `verify-full`, or `prefer` where all hosts are local.
    public let sslMode: String?
    /// Other settings for libpq that the address has: `sslrootcert`, `sslcert`, `sslkey`, `channel_binding`.
    public let options: [String: String]

    /// The settings that an address may have. What decides how statements act is the store's own.
    private static let known: Set<String> = [
        "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding",
    ]
    private static let sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

    /// A reason for which an address is none. Holds no part of it that may be a password.
    public struct Fault: Error, Equatable {
        /// The finding, and what is wanted.
        public let found: String
        /// Likewise.
        public let wanted: String
    }

    private static let wanted = "postgres://user@host/database?sslmode=verify-full"

    /// Reads an address; throws with words that hold neither password nor a part of one.
    public init(_ text: String) throws(Fault) {
        let fail = { (found: String) in Fault(found: found, wanted: Self.wanted) }
        guard let scheme = ["postgres://", "postgresql://"].first(where: { text.hasPrefix($0) }) else {
            throw fail("an address with another scheme")
        }
        var rest = text.dropFirst(scheme.count)
        guard !rest.contains("#"), rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw fail("an address with a character that must be percent-encoded")
        }
        var query: Substring = ""
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        guard let slash = rest.firstIndex(of: "/") else { throw fail("an address without a database") }
        let path = rest[rest.index(after: slash)...]
        let authority = rest[..<slash].split(separator: "@", omittingEmptySubsequences: false)
        // An `@` of a password that was not encoded would make its end a host.
        guard authority.count == 2 else { throw fail("an address without one user before one @") }
        guard !authority[0].contains(":") else {
            throw Fault(
                found: "an address with a password", wanted: "the password in storage.passwordFile or PGPASSFILE")
        }
        guard let user = Self.decoded(authority[0]), !user.isEmpty else { throw fail("an address without a user") }
        guard let database = Self.decoded(path), !database.isEmpty, !database.contains("/") else {
            throw fail("an address without a database")
        }
        self.user = user
        self.database = database
        var hosts: [Host] = []
        for part in authority[1].split(separator: ",", omittingEmptySubsequences: false) {
            guard let host = Self.host(part) else { throw fail("an address with a malformed host") }
            hosts.append(host)
        }
        self.hosts = hosts
        var options: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = Self.decoded(parts[0]), let value = Self.decoded(parts[1]),
                Self.known.contains(name), options[name] == nil
            else {
                throw Fault(
                    found: "an address with a setting that cloakroom does not take, or twice",
                    wanted: Self.known.sorted().joined(separator: ", "))
            }
            options[name] = value
        }
        sslMode = options.removeValue(forKey: "sslmode")
        if let sslMode, !Self.sslModes.contains(sslMode) {
            throw Fault(found: "an address with an unknown sslmode", wanted: Self.sslModes.joined(separator: ", "))
        }
        self.options = options
    }

    private static func decoded(_ text: Substring) -> String? { String(text).removingPercentEncoding }

    private static func host(_ text: Substring) -> Host? {
        var (name, port) = (text, Substring("5432"))
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            name = text[text.index(after: text.startIndex)..<end]
            let after = text[text.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            if !after.isEmpty { port = after.dropFirst() }
        } else if let colon = text.firstIndex(of: ":") {
            name = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard let decoded = decoded(name), !decoded.isEmpty, let number = UInt16(port), number > 0 else { return nil }
        return Host(name: decoded, port: Int(number))
    }

    /// True where no host is reached over a network.
    public var isLocal: Bool { hosts.allSatisfy(\.isLocal) }

    /// The `sslmode` in force.
    public var effectiveSSLMode: String { sslMode ?? (isLocal ? "prefer" : "verify-full") }

    /// Without anything secret, for messages.
    public var description: String {
        let hosts = hosts.map { "\($0.name):\($0.port)" }.joined(separator: ",")
        return "\(database) at \(hosts)"
    }

    /// A line for operators where somebody on the way could read or change what passes.
    public var warning: String? {
        guard !isLocal, effectiveSSLMode != "verify-full" else { return nil }
        return
            "storage.url has sslmode=\(effectiveSSLMode): only verify-full keeps others on the way to the database out"
    }
}

/// All that a store needs to connect.
public struct PostgresSettings: Sendable {
    /// The servers and the database.
    public var address: PostgresAddress
    /// A file with the password, read at each connect; `nil`: libpq's own ways (`PGPASSFILE`, `PGPASSWORD`), or none.
    public var passwordFile: String?
    /// True: nothing is redeemed unless each commit waits for a standby.
    public var requiresSynchronousStandby: Bool
    let lastHost = LastHost()

    /// Checks nothing.
    public init(_ address: PostgresAddress, passwordFile: String? = nil, requiresSynchronousStandby: Bool = false) {
        self.address = address
        self.passwordFile = passwordFile
        self.requiresSynchronousStandby = requiresSynchronousStandby
    }
}

/// The place, in the address, of the host that answered last. All connections of a process try it first: another that is
/// gone without a word would cost each of them its share of the time.
final class LastHost: Sendable {
    private let place = Locked(0)

    var index: Int { place.withLock { $0 } }

    func note(_ index: Int) { place.withLock { $0 = index } }
}
