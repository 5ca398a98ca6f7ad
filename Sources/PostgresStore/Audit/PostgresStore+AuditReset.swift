public import Broker
import Foundation
public import Secrets
import StoreParts

extension PostgresStore {
    /// Begins a new audit trail, for the tables' owner. The one before stays in tables beside it, as evidence: their names.
    ///
    /// In one transaction, in which no broker gets in. The new trail has a key of its own, so that nothing of the old one
    /// fits into it, and its chains' numbers are above those of before. Its first event is `event`.
    public static func resetAuditTrail(
        _ settings: PostgresSettings, keyRing: KeyRing, recording event: Event
    ) throws(PostgresOpeningError) -> [String] {
        do {
            let connection = try connection(settings)
            try check(connection)
            try refusePool(settings, beside: connection)
            try Migration.run(on: connection, nil, mayMigrate: false)
            try refuseAnothersKeys(keyRing, on: connection)
            try connection.run(setup: settingsOfReset)
            try holdAlone(connection)
            let evidence = try setAside(on: connection)
            try begin(on: connection, keyRing, event)
            return evidence
        } catch PostgresFailure.refused(.noPrivilege) {
            throw .notOwner
        } catch PostgresFailure.refused(.lockNotAvailable) {
            throw .inUse
        } catch {
            throw PostgresOpeningError(whichever: error)
        }
    }

    /// To set a long trail aside takes a while.
    private static let patienceOfReset: Duration = .seconds(600)
    private static let settingsOfReset = """
        SET statement_timeout = '10min'; SET idle_in_transaction_session_timeout = '10min';
        SET synchronous_commit = on
        """

    /// Throws where the trail's key names a master key that the ring lacks: the ring is then another installation's, and a
    /// trail that it began would keep the brokers of this one out. Bytes that the named key does not open were altered.
    private static func refuseAnothersKeys(_ ring: KeyRing, on connection: Connection) throws {
        let found = try connection.run(query: "SELECT encode(sealed_key, 'hex') FROM audit_trail")
        guard let bytes = (found.first?.text(0)).flatMap({ [UInt8](hex: $0) }) else { return }
        do {
            _ = try AuditKey.open(bytes, ring)
        } catch {
            if let id = error.missing { throw PostgresOpeningError.masterKeyMissing(id: id) }
        }
    }

    /// Begins the transaction. Every broker holds the lock of its chain for as long as it is connected, and takes it by
    /// way of the table.
    private static func holdAlone(_ connection: Connection) throws {
        try connection.run(setup: "BEGIN; LOCK TABLE audit_trail, audit_chains, audit_events IN ACCESS EXCLUSIVE MODE")
        let brokers = try connection.run(
            query: """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = \(AdvisoryLock.chains)
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """)
        guard brokers.first?.text(0) == "0" else { throw PostgresOpeningError.inUse }
    }

    private static func setAside(on connection: Connection) throws -> [String] {
        let moment = Date().formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted)).lowercased()
        return try ["audit_trail", "audit_chains", "audit_events"].map { table in
            let name = "\(table)_until_\(moment)"
            try connection.run(setup: "CREATE TABLE \(name) AS TABLE \(table)", within: patienceOfReset)
            return name
        }
    }

    private static func begin(on connection: Connection, _ ring: KeyRing, _ event: Event) throws {
        // Whatever was altered: a number that programs can read, and that is above those of before.
        let found = try connection.run(
            query: """
                SELECT least(greatest((SELECT max(chain) FROM audit_chains), (SELECT max(chain) FROM audit_events), 0),
                    1000000) + 1
                """, within: patienceOfReset)
        guard let chain = found.first.flatMap({ Int64($0.text(0)) }) else { throw PostgresFailure.malformed }
        let key = SecretBytes(Random.bytes(32))
        var head = ChainHead(link: .start, time: 0)
        try connection.run(
            setup: """
                TRUNCATE audit_events, audit_chains;
                \(AuditKey.insertion(of: key, sealedBy: ring));
                \(head.insertion(as: chain, holder: Random.bytes(16), from: .start, key))
                """, within: patienceOfReset)
        let entry = AuditEntry(event)
        head.add(entry, key)
        try connection.prepare([.append, .advance])
        _ = try connection.finish([
            (.append, AuditEntry.parameters([(entry, head.link)], of: chain)),
            (.advance, head.parameters(of: chain, batch: 1, key)),
        ])
    }
}
