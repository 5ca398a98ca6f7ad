import Foundation

/// Keywords and values for libpq, one list each.
struct ConnectionParameters {
    private let pairs: [(String, String)]

    init(_ pairs: [(String, String)]) { self.pairs = pairs }

    func withCStrings<Result>(
        _ body: ([UnsafePointer<CChar>?], [UnsafePointer<CChar>?]) -> Result
    ) -> Result {
        let keywords = pairs.map { strdup($0.0) }
        let values = pairs.map { strdup($0.1) }
        defer {
            for pointer in keywords + values { free(pointer) }
        }
        return body(keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil])
    }
}

extension PostgresSettings {
    /// Debian's and most others' place of the authorities that the system trusts.
    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    func parameters(for host: PostgresAddress.Host) throws(PostgresFailure) -> ConnectionParameters {
        let mode = host.isSocket ? "disable" : address.effectiveSSLMode
        var pairs = [
            ("host", host.name), ("port", String(host.port)), ("user", address.user), ("dbname", address.database),
            ("application_name", "cloakroom"), ("client_encoding", "UTF8"), ("sslmode", mode),
            ("gssencmode", "disable"), ("target_session_attrs", "read-write"),
            // A peer that vanished is found within half a minute; one that is frozen by our own deadline.
            ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "10000"),
        ]
        if mode.hasPrefix("verify"), address.options["sslrootcert"] == nil,
            FileManager.default.fileExists(atPath: Self.systemAuthorities)
        {
            pairs.append(("sslrootcert", Self.systemAuthorities))
        }
        pairs += address.options.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if let passwordFile {
            guard let text = try? String(contentsOfFile: passwordFile, encoding: .utf8) else {
                throw .passwordFile(path: passwordFile)
            }
            pairs.append(("password", text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""))
        }
        return ConnectionParameters(pairs)
    }
}
