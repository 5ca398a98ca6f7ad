public import Broker
import Formats
import Foundation
public import Secrets
public import StoreParts

/// Flows and credential keys in one PostgreSQL database, which any number of brokers share, on as many machines.
public struct PostgresStore: ObservableStore {
    let writer: Writer
    let reader: Reader
    /// For long looks, such as operators' lists: they hold up no flow, whose tenant's clients are read by `reader`.
    let lists: Reader
    let failures: FailedRedemptions
    private let settings: PostgresSettings

    /// The oldest server that is taken.
    static let oldestServer = 140_000

    /// Connects, brings the tables up to date where the role may, and takes a chain of the audit trail.
    ///
    /// - Parameter bounds: with any set, an index is made that each flow then costs.
    public init(
        _ settings: PostgresSettings, keyRing: KeyRing, bounds: FlowBounds = FlowBounds()
    ) throws(PostgresOpeningError) {
        try self.init(settings, keyRing: keyRing, bounds: bounds, refusals: RefusalBudget())
    }

    /// - Parameter refusals: how many refused keys the trail takes.
    init(
        _ settings: PostgresSettings, keyRing: KeyRing, bounds: FlowBounds = FlowBounds(), refusals: RefusalBudget
    ) throws(PostgresOpeningError) {
        self.settings = settings
        let (key, breach) = try Self.prepare(settings, keyRing, bounds)
        let session: Session
        do {
            session = try Session.open(settings, until: .now + .seconds(5), continuing: nil, key: key, keyRing)
        } catch {
            throw PostgresOpeningError(error)
        }
        writer = Writer(
            settings, key: key, keyRing, session: session, bounds: bounds, observer: StoreObserver(),
            foundBreach: breach)
        reader = Reader(settings, name: "cloakroom-reader", patience: .seconds(5))
        lists = Reader(settings, name: "cloakroom-lists", patience: .seconds(35))
        failures = FailedRedemptions(writer, budget: refusals)
    }

    /// Makes the tables, and gives a role what it needs to serve with them. For the owner.
    public static func migrate(
        _ settings: PostgresSettings, keyRing: KeyRing, bounds: FlowBounds, grantingTo role: String?
    ) throws(PostgresOpeningError) {
        _ = try prepare(settings, keyRing, bounds)
        guard let role else { return }
        do throws(PostgresFailure) {
            try connection(settings).run(setup: Schema.grants(to: role))
        } catch {
            if case .refused(.undefinedObject) = error { throw .noRole(role) }
            throw PostgresOpeningError(error)
        }
    }

    /// A connection before its pipeline. A server that starts, recovers or is about to be promoted is waited for.
    static func connection(_ settings: PostgresSettings) throws(PostgresFailure) -> Connection {
        let end = ContinuousClock.now + .seconds(15)
        while true {
            do throws(PostgresFailure) {
                let connection = try Connection.open(settings, until: .now + .seconds(5))
                try connection.run(setup: Session.readingSettings)
                return connection
            } catch {
                guard error.state == .cannotConnectNow || error.state == .readOnly, ContinuousClock.now < end else {
                    throw error
                }
                usleep(200_000)
            }
        }
    }

    /// The key of the audit trail, and what was found in it, once everything is in its place.
    private static func prepare(
        _ settings: PostgresSettings, _ ring: KeyRing, _ bounds: FlowBounds
    ) throws(PostgresOpeningError) -> (SecretBytes, Breach?) {
        let connection: Connection
        do {
            connection = try Self.connection(settings)
        } catch {
            throw PostgresOpeningError(error)
        }
        try check(connection)
        try refusePool(settings, beside: connection)
        try Migration.run(on: connection, ring)
        try checkPrivileges(on: connection)
        do throws(PostgresFailure) {
            if bounds.isOn {
                let found = try connection.run(query: "SELECT to_regclass('flows_outstanding') IS NOT NULL")
                if found.first?.text(0) != "t" {
                    try connection.run(setup: "SET statement_timeout = '10min'; SET lock_timeout = '10min'")
                    // One transaction, under a lock: `IF NOT EXISTS` alone fails where several begin at once.
                    try connection.run(
                        setup: "SELECT pg_advisory_xact_lock(\(AdvisoryLock.index)); \(Schema.outstandingIndex)",
                        within: .seconds(600))
                }
            }
        } catch {
            throw .failed(reason: error.words)
        }
        return (try auditKey(ring, on: connection), try breach(on: connection))
    }

    /// What a broker found in a chain, if any did.
    private static func breach(on connection: Connection) throws(PostgresOpeningError) -> Breach? {
        do throws(PostgresFailure) {
            let found = try connection.run(
                query: "SELECT broken_at, finding FROM audit_chains WHERE broken_at IS NOT NULL ORDER BY chain LIMIT 1")
            return found.first.map { Breach(sequence: Int64($0.text(0)) ?? 0, finding: $0.text(1)) }
        } catch {
            throw PostgresOpeningError(error)
        }
    }

    /// Throws for what makes a server unfit.
    static func check(_ connection: Connection) throws(PostgresOpeningError) {
        guard connection.serverVersion >= oldestServer else {
            throw .serverTooOld(version: connection.reported("server_version") ?? "")
        }
        let encoding = connection.reported("server_encoding") ?? ""
        guard encoding == "UTF8" else { throw .encoding(encoding) }
        do throws(PostgresFailure) {
            let settings = try connection.run(
                query: "SELECT current_setting('fsync'), current_setting('full_page_writes')")
            guard let row = settings.first else { throw .malformed }
            if row.text(0) != "on" { throw .refused(SQLState("fsync")) }
        } catch {
            if case .refused(SQLState("fsync")) = error { throw .notDurable(setting: "fsync") }
            throw PostgresOpeningError(error)
        }
    }

    /// Throws for a pool that gives each transaction another connection: settings, locks and statements of a session are
    /// then somebody else's. What one session sets, another sees there.
    static func refusePool(_ settings: PostgresSettings, beside connection: Connection) throws(PostgresOpeningError) {
        do throws(PostgresFailure) {
            let token = Random.bytes(8).hex
            try connection.run(setup: "SET cloakroom.session = '\(token)'")
            let other = try Connection.open(settings, until: .now + .seconds(5))
            let sees = { (connection: Connection) throws(PostgresFailure) in
                try connection.run(query: "SELECT current_setting('cloakroom.session', true)").first?.text(0) == token
            }
            // The first one twice: a pool that takes its connections in turn gives it another one then.
            let signs = [try sees(other), try !sees(connection), try !sees(connection)]
            guard signs.contains(true) else { return }
        } catch {
            throw PostgresOpeningError(error)
        }
        throw .pooled
    }

    /// The trail's key, made by the first broker.
    private static func auditKey(_ ring: KeyRing, on connection: Connection) throws(PostgresOpeningError) -> SecretBytes
    {
        let sealed: [UInt8]
        do throws(PostgresFailure) {
            let key = SecretBytes(Random.bytes(32))
            let made = AuditKey.seal(key, ring)
            let isThere = try connection.run(query: "SELECT EXISTS (SELECT 1 FROM audit_trail)").first?.text(0) == "t"
            if !isThere {
                try connection.run(
                    setup: """
                        INSERT INTO audit_trail (sealed_key, anchor, anchor_proof) VALUES (decode('\(made.hex)', 'hex'), '',
                            decode('\(AuditAnchor.proof(of: [], key).hex)', 'hex')) ON CONFLICT DO NOTHING
                        """)
            }
            let found = try connection.run(query: "SELECT encode(sealed_key, 'hex') FROM audit_trail")
            guard let bytes = (found.first?.text(0)).flatMap({ [UInt8](hex: $0) }) else { throw .malformed }
            sealed = bytes
        } catch {
            throw PostgresOpeningError(error)
        }
        do {
            return try AuditKey.open(sealed, ring)
        } catch {
            throw .masterKeyMissing(id: error.missing)
        }
    }

    /// Finishes what was handed over; later calls throw `StoreError.closed`.
    public func close() async {
        await failures.flush()
        await reader.close()
        await lists.close()
        await writer.close()
    }

    /// The time from a flow's end until the sweep deletes it. Until then a spent key is recognised.
    static let retentionMilliseconds: Int64 = 86_400_000
    /// The time from the end of a flow's state until the sweep ends the flow: an exchange may still run.
    static let exchangeGraceMilliseconds: Int64 = 300_000

    /// A write of its own, with a commit to the disk.
    public func check() async throws(StoreError) {
        let isRequired = settings.requiresSynchronousStandby
        let isFit = try await writer.write { transaction in
            try transaction.open()
            return transaction.isSynchronous || !isRequired
        }
        guard isFit else {
            throw .unavailable("synchronous_standby_names is empty, and storage.requireSynchronousStandby is set")
        }
    }

    /// Has an observer told what the store does from now on, in place of any before it.
    public func observe(_ observer: @escaping @Sendable (WriterEvent) -> Void) { writer.observer.listen(observer) }

    /// The number of operations that wait for their commit.
    public var waitingCount: Int { writer.waitingCount }
}
