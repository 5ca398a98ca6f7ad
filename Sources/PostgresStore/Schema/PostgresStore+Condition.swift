public import Broker
public import Formats
public import Secrets

extension PostgresStore {
    /// The facts about a server and database that `cloakroom doctor` reports.
    public struct Condition: Sendable {
        /// The server's version as it says it.
        public let version: String
        /// True where the tables are those of this program.
        public let isMigrated: Bool
        /// Settings that are other than they must be for commits to be durable, with what was found.
        public let undurable: [String]
        /// Tables that the role may not read or change as the broker does.
        public let missingPrivileges: [String]
        /// The server's clock less this machine's, in milliseconds.
        public let clockDifference: Int64
        /// Connections that the server still takes from this role.
        public let freeConnections: Int
        /// Standbys that are connected.
        public let standbys: Int
        /// True where each commit waits for a standby.
        public let isSynchronous: Bool
        /// The time by which the slowest standby is behind; `nil` where the role may not see it, or none is connected.
        public let lagMilliseconds: Int64?
        /// True where what passes is encrypted.
        public let isEncrypted: Bool
    }

    /// Throws where the database is none that `init` would open, or could make. Changes nothing.
    ///
    /// - Parameter keyRing: `nil` where the master keys do not matter.
    public static func inspect(_ settings: PostgresSettings, keyRing: KeyRing? = nil) throws(PostgresOpeningError) {
        let connection: Connection
        do {
            connection = try Self.connection(settings)
        } catch {
            throw PostgresOpeningError(error)
        }
        try check(connection)
        try refusePool(settings, beside: connection)
        do throws(PostgresOpeningError) {
            try Migration.run(on: connection, keyRing, mayMigrate: false)
        } catch {
            // What the owner, or a first start, would make.
            guard error == .notMigrated, mayCreate(on: connection) else { throw error }
            return
        }
        do throws(PostgresFailure) {
            let sql = "SELECT 1 FROM audit_trail WHERE copying IS NOT NULL"
            if try connection.run(query: sql).first != nil { throw .unfinishedCopy }
        } catch {
            throw PostgresOpeningError(error)
        }
        try checkPrivileges(on: connection)
    }

    /// Throws where the role may not read or change a table as the broker does: it would start, and refuse all work.
    static func checkPrivileges(on connection: Connection) throws(PostgresOpeningError) {
        let missing: [String]
        do {
            missing = try missingPrivileges(on: connection)
        } catch {
            throw PostgresOpeningError(error)
        }
        guard missing.isEmpty else { throw .notGranted(missing: missing) }
    }

    private static func mayCreate(on connection: Connection) -> Bool {
        let sql = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
        return (try? connection.run(query: sql))?.first?.text(0) == "t"
    }

    /// Asks the server. Changes nothing.
    public static func condition(
        _ settings: PostgresSettings, at now: @Sendable () -> Timestamp
    ) throws(PostgresOpeningError) -> Condition {
        do throws(PostgresFailure) {
            let connection = try connection(settings)
            let value = { (sql: String) throws(PostgresFailure) in try connection.run(query: sql).first?.text(0) ?? "" }
            let isMigrated = try Migration.version(on: connection) == Schema.version
            let before = now().milliseconds
            let server = Int64(try value("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")) ?? before
            let after = now().milliseconds
            let free = try value(
                """
                SELECT least(
                    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                        - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
                    (SELECT nullif(rolconnlimit, -1) - (SELECT count(*) FROM pg_stat_activity WHERE usename = rolname)
                        FROM pg_roles WHERE rolname = current_user))
                """)
            let standbys = Int(try value("SELECT count(*) FROM pg_stat_replication")) ?? 0
            return Condition(
                version: connection.reported("server_version") ?? "", isMigrated: isMigrated,
                undurable: try undurable(on: connection),
                missingPrivileges: isMigrated ? try missingPrivileges(on: connection) : [],
                clockDifference: server - (before + after) / 2, freeConnections: Int(free) ?? 0, standbys: standbys,
                isSynchronous: try value("SELECT current_setting('synchronous_standby_names')") != "",
                lagMilliseconds: Int64(
                    try value("SELECT (extract(epoch FROM max(replay_lag)) * 1000)::bigint FROM pg_stat_replication")),
                isEncrypted: connection.isEncrypted)
        } catch {
            throw PostgresOpeningError(error)
        }
    }

    private static func undurable(on connection: Connection) throws(PostgresFailure) -> [String] {
        var found: [String] = []
        for name in ["fsync", "full_page_writes"] {
            let value = try connection.run(query: "SELECT current_setting('\(name)')").first?.text(0) ?? ""
            if value != "on" { found.append("\(name) = \(value)") }
        }
        return found
    }

    private static func missingPrivileges(on connection: Connection) throws(PostgresFailure) -> [String] {
        let wanted = [
            ("flows", "SELECT, INSERT, UPDATE, DELETE"), ("credential_keys", "SELECT, INSERT, UPDATE, DELETE"),
            ("revocations", "SELECT, INSERT, DELETE"), ("clients", "SELECT, INSERT, UPDATE, DELETE"),
            ("refreshes", "SELECT, INSERT, UPDATE, DELETE"), ("refresh_tokens", "SELECT, INSERT, DELETE"),
            ("brokers", "SELECT, INSERT, UPDATE, DELETE"), ("handovers", "SELECT, INSERT, UPDATE, DELETE"),
            ("generation", "SELECT, UPDATE"), ("sweeps", "SELECT, UPDATE"), ("audit_trail", "SELECT, INSERT, UPDATE"),
            ("audit_chains", "SELECT, INSERT, UPDATE"), ("audit_events", "SELECT, INSERT, DELETE"),
            ("client_registrations", "SELECT, INSERT, UPDATE, DELETE"),
        ]
        // One by one: `has_table_privilege` of a list tells whether there is any of them.
        let each = wanted.flatMap { table, privileges in
            privileges.split(separator: ", ").map { "('\(table)', '\($0)')" }
        }
        let found = try connection.run(
            query: """
                SELECT string_agg(privilege || ' on ' || name, '; ')
                FROM (VALUES \(each.joined(separator: ", "))) AS wanted (name, privilege)
                WHERE NOT has_table_privilege(name, privilege)
                """)
        return (found.first?.text(0) ?? "").split(separator: "; ").map(String.init)
    }

    /// The uses of each master key in a database, by the key's name. Changes nothing.
    public static func masterKeyUses(
        _ settings: PostgresSettings, at now: Timestamp
    ) throws(PostgresOpeningError) -> [String: MasterKeyUses] {
        do throws(PostgresFailure) {
            let connection = try connection(settings)
            guard try Migration.version(on: connection) > 0 else { return [:] }
            try connection.prepare([.flowUses, .keyUses, .clientUses, .registrationUses, .auditKey])
            return try masterKeyUses(on: connection, at: now)
        } catch {
            throw PostgresOpeningError(error)
        }
    }
}
