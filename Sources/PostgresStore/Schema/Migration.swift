import Glibc
import Secrets

/// The tables brought up to date, by one broker at a time.
enum Migration {
    /// Before the pipeline begins. Nothing is changed for a ring that does not open the audit trail's key.
    ///
    /// - Parameter mayMigrate: false where the tables are only to be looked at.
    static func run(
        on connection: Connection, _ ring: KeyRing?, mayMigrate: Bool = true
    ) throws(PostgresOpeningError) {
        let found = try asking { () throws(PostgresFailure) in try version(on: connection) }
        guard found <= Schema.version else { throw .newer }
        if let ring, found > 0 { try check(ring, on: connection) }
        guard found < Schema.version else { return }
        // What the role may not use looks as if it were not there.
        if found == 0, try !asking({ () throws(PostgresFailure) in try hasSchema(on: connection) }) {
            throw .notGranted(missing: ["USAGE on the schema"])
        }
        guard mayMigrate else { throw .notMigrated }
        do {
            try migrate(on: connection, until: .now + .seconds(600))
        } catch {
            if case .refused(.noPrivilege) = error { throw .notMigrated }
            throw PostgresOpeningError(error)
        }
    }

    private static func asking<Result>(
        _ body: () throws(PostgresFailure) -> Result
    ) throws(PostgresOpeningError) -> Result {
        do {
            return try body()
        } catch {
            throw PostgresOpeningError(error)
        }
    }

    private static func hasSchema(on connection: Connection) throws(PostgresFailure) -> Bool {
        try connection.run(query: "SELECT current_schema() IS NOT NULL").first?.text(0) == "t"
    }

    /// 0 where there are no tables yet.
    static func version(on connection: Connection) throws(PostgresFailure) -> Int64 {
        // Not by `to_regclass`: within a transaction it goes on saying no to what another has made meanwhile.
        let exists = try connection.run(
            query: """
                SELECT EXISTS (SELECT 1 FROM pg_tables
                    WHERE tablename = 'schema_version' AND schemaname = ANY (current_schemas(false)))
                """)
        guard exists.first?.text(0) == "t" else { return 0 }
        return try connection.run(query: "SELECT version FROM schema_version").first.flatMap { Int64($0.text(0)) } ?? 0
    }

    private static func check(_ ring: KeyRing, on connection: Connection) throws(PostgresOpeningError) {
        let found = try asking { () throws(PostgresFailure) in
            try connection.run(query: "SELECT encode(sealed_key, 'hex') FROM audit_trail")
        }
        guard let text = found.first?.text(0), let bytes = [UInt8](hex: text) else { return }
        do {
            _ = try AuditKey.open(bytes, ring)
        } catch {
            throw .masterKeyMissing(id: error.missing)
        }
    }

    /// In one transaction: it is there as a whole, or not at all. Under a lock, since `IF NOT EXISTS` alone fails where
    /// several begin at once.
    ///
    /// A table that someone reads is not waited for at length: whoever comes to it then waits behind this, and a broker
    /// that starts needs the lock. All is taken back, and begun again a moment later.
    private static func migrate(
        on connection: Connection, until end: ContinuousClock.Instant
    ) throws(PostgresFailure) {
        while true {
            do throws(PostgresFailure) {
                return try migrateAtOnce(on: connection)
            } catch {
                guard error.state == .lockNotAvailable, ContinuousClock.now < end else { throw error }
                usleep(UInt32.random(in: 500_000...1_000_000))
            }
        }
    }

    private static func migrateAtOnce(on connection: Connection) throws(PostgresFailure) {
        try connection.run(setup: "BEGIN; SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '10min'")
        do throws(PostgresFailure) {
            try connection.run(
                setup: "SELECT pg_advisory_xact_lock(\(AdvisoryLock.migration))", within: .seconds(600))
            try connection.run(setup: "SET LOCAL lock_timeout = '1s'")
            let found = try version(on: connection)
            if found == 0 {
                try connection.run(
                    setup: """
                        CREATE TABLE schema_version (one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint NOT NULL);
                        INSERT INTO schema_version (version) VALUES (0)
                        """)
            }
            for migration in Schema.migrations.dropFirst(Int(found)) {
                try connection.run(setup: migration, within: .seconds(600))
            }
            try connection.run(setup: "UPDATE schema_version SET version = greatest(version, \(Schema.version))")
            try connection.run(setup: "COMMIT")
        } catch {
            if !error.endsConnection { try? connection.run(setup: "ROLLBACK") }
            throw error
        }
    }
}

extension [UInt8] {
    /// Bytes of two hexadecimal digits each, as PostgreSQL writes them.
    init?(hex text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        self = bytes
    }
}
