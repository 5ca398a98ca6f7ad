import Secrets
import StoreParts

/// The database that another store is copied into. The connection holds a lock, so that no two copies run.
///
/// Not `Sendable`: one thread uses it.
final class CopyTarget {
    /// The copied trail's: events keep their numbers.
    static let chain: Int64 = 1
    /// What `EventNumber` has room for.
    static let largestSequence: Int64 = 0xFFFF_FFFF

    enum State: Equatable {
        /// Nothing but the tables.
        case empty
        /// A copy was begun, and has come to a place.
        case copying([UInt8], Place)
        case finished([UInt8])
        /// Brokers were here.
        case used
    }

    /// The last row of a kind that is there, by its place in the source.
    struct Place: Equatable {
        let kind: CopiedKind
        let after: Int64

        static let start = Place(kind: .clients, after: 0)
    }

    private let connection: Connection
    private let ring: KeyRing

    /// The time that a statement may take: some count all rows.
    private static let patience: Duration = .seconds(600)

    init(_ settings: PostgresSettings, _ ring: KeyRing) throws {
        self.ring = ring
        connection = try PostgresStore.connection(settings)
        try PostgresStore.check(connection)
        try PostgresStore.refusePool(settings, beside: connection)
        try Migration.run(on: connection, ring)
        try connection.run(setup: Session.settings)
        try connection.run(
            setup: """
                SET statement_timeout = '9min'; SET idle_in_transaction_session_timeout = '10min'; SET lock_timeout = '5s'
                """)
        connection.patience = Self.patience
        do throws(PostgresFailure) {
            // Longer than the server takes to see that a process was killed, and to end what that one had begun.
            try connection.run(setup: "SELECT pg_advisory_lock(\(AdvisoryLock.copy))", within: .seconds(15))
        } catch {
            guard case .refused(.lockNotAvailable) = error else { throw error }
            throw CopyError.targetIsBusy
        }
    }

    // MARK: before the pipeline

    func state() throws -> State {
        let found = try connection.run(
            query: "SELECT encode(copy, 'hex'), copying, copied_to FROM audit_trail WHERE copy IS NOT NULL")
        guard let row = found.first, let id = [UInt8](hex: row.text(0)) else { return try isEmpty() ? .empty : .used }
        guard !row.isNull(1) else { return .finished(id) }
        guard let kind = CopiedKind(rawValue: row.text(1)), let after = Int64(row.text(2)) else { return .used }
        return .copying(id, Place(kind: kind, after: after))
    }

    /// Each broker that ever was here left a chain.
    private func isEmpty() throws(PostgresFailure) -> Bool {
        let tables = [
            "audit_chains", "audit_events", "flows", "credential_keys", "clients", "client_registrations",
            "revocations",
        ]
        let isUsed = tables.map { "EXISTS (SELECT 1 FROM \($0))" }.joined(separator: " OR ")
        return try connection.run(query: "SELECT \(isUsed)").first?.text(0) == "f"
    }

    /// Puts the copy's name and the source's facts into an empty database. From here on no broker begins in it.
    func begin(_ copy: [UInt8], _ facts: CopiedFacts) throws {
        // Of an empty trail the time would be nowhere else.
        let start = ChainHead.Link(sequence: facts.start, digest: facts.startDigest)
        let head = ChainHead(
            link: start, time: facts.start == facts.last ? facts.lastTime : 0,
            orderedFrom: facts.orderedFrom > facts.start + 1 ? facts.orderedFrom : 0)
        try connection.run(setup: "BEGIN; SELECT pg_advisory_xact_lock(\(AdvisoryLock.migration))")
        guard try isEmpty() else {
            try connection.run(setup: "ROLLBACK")
            throw CopyError.targetIsUsed
        }
        try connection.run(
            setup: """
                \(AuditKey.insertion(of: facts.key, sealedBy: ring, leftOut: facts.leftOut));
                UPDATE audit_trail SET copy = decode('\(copy.hex)', 'hex'), copying = '\(Place.start.kind.rawValue)',
                    copied_to = \(Place.start.after);
                UPDATE generation SET revocations = \(facts.revocations);
                \(head.insertion(as: Self.chain, holder: Random.bytes(16), from: start, facts.key));
                COMMIT
                """)
    }

    // MARK: rows

    func prepare() throws(PostgresFailure) {
        let kinds = CopiedKind.allCases
        try connection.prepare(
            kinds.filter { $0 != .auditEvents }.map(\.insert) + kinds.map(\.count)
                + [.append, .advance, .copiedChain, .keepPlace, .finishCopy])
    }

    /// Takes rows and the place that they end at, together.
    func take(_ rows: [[StoredValue]], until place: Place) throws(PostgresFailure) {
        _ = try connection.transaction([(place.kind.insert, place.kind.parameters(rows)), keep(place)])
    }

    /// Takes events as they are: under the same key each has the proof that it had.
    func take(_ events: [AuditEntry], _ key: SecretBytes) throws {
        guard let row = try connection.query(.copiedChain).first else { throw PostgresFailure.malformed }
        var (head, _) = try ChainHead.proven(row, key)
        let added = events.map { entry in
            head.add(entry, key)
            return (entry: entry, link: head.link)
        }
        _ = try connection.transaction([
            (.append, AuditEntry.parameters(added, of: Self.chain)),
            (.advance, head.parameters(of: Self.chain, batch: 0, key)),
            keep(Place(kind: .auditEvents, after: head.link.sequence)),
        ])
    }

    private func keep(_ place: Place) -> (Statement, [Parameter]) {
        (.keepPlace, [.text(place.kind.rawValue), .int(place.after)])
    }

    func count(of kind: CopiedKind) throws(PostgresFailure) -> Int64 {
        try connection.query(kind.count).first?.int(0) ?? 0
    }

    /// From here on brokers begin.
    func finish() throws(PostgresFailure) { _ = try connection.transaction([(.finishCopy, [])]) }
}
