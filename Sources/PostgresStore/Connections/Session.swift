import Broker
import Secrets
import StoreParts

/// A connection that writes, with the chain that it adds to.
///
/// Not `Sendable`: the writer's thread alone has it.
final class Session {
    let connection: Connection
    let chain: Chain

    private init(_ connection: Connection, _ chain: Chain) {
        self.connection = connection
        self.chain = chain
    }

    /// Of a session that writes. Plans are made for empty tables and kept, so that only those by indexes may be made;
    /// nothing waits for a lock, or holds one, for long; and a commit returns when it is on the disk, whatever the role's
    /// or database's default is.
    static let settings = """
        SET synchronous_commit = on; SET statement_timeout = '4s'; SET lock_timeout = '3s';
        SET idle_in_transaction_session_timeout = '10s'; SET plan_cache_mode = force_generic_plan;
        SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
        SET default_transaction_isolation = 'read committed'; SET client_min_messages = warning;
        SET log_parameter_max_length_on_error = 0; SET jit = off
        """

    /// Of a session that reads: for long looks too.
    static let readingSettings = """
        SET statement_timeout = '30s'; SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '10s';
        SET client_min_messages = warning; SET log_parameter_max_length_on_error = 0; SET jit = off;
        SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off
        """

    /// Connects, and takes the chain of before, or one that no other writer has.
    ///
    /// - Parameter ring: tells whether the trail was begun anew since `key` was opened.
    static func open(
        _ settings: PostgresSettings, until end: ContinuousClock.Instant, continuing chain: Chain?, key: SecretBytes,
        _ ring: KeyRing
    ) throws(PostgresFailure) -> Session {
        let connection = try Connection.open(settings, until: end)
        try connection.run(setup: Self.settings)
        if let chain {
            // Held by the connection of before for as long as the server does not know that it is gone.
            try connection.run(setup: "SELECT pg_try_advisory_lock(\(AdvisoryLock.chains), \(chain.number))")
            try refuseAnotherTrail(key, ring, on: connection)
            try connection.prepare(Statement.writing)
            return Session(connection, chain)
        }
        let made = try adopt(key, ring, on: connection)
        try connection.prepare(Statement.writing)
        return Session(connection, made)
    }

    /// A chain that nobody adds to: one that a process left, or a new one. Its end is proven by the first transaction.
    ///
    /// None while a copy into the database is not finished: under one lock with its beginning, which takes an empty one.
    private static func adopt(
        _ key: SecretBytes, _ ring: KeyRing, on connection: Connection
    ) throws(PostgresFailure) -> Chain {
        let holder = Random.bytes(16)
        let name = holder.hex
        let left = try connection.run(
            query: """
                UPDATE audit_chains SET holder = decode('\(name)', 'hex') WHERE chain = (
                    SELECT chain FROM (SELECT chain FROM audit_chains WHERE broken_at IS NULL
                        AND NOT EXISTS (SELECT 1 FROM audit_trail WHERE copying IS NOT NULL) ORDER BY chain OFFSET 0) c
                    WHERE pg_try_advisory_lock(\(AdvisoryLock.chains), chain::int) LIMIT 1)
                RETURNING chain
                """)
        if let number = left.first.flatMap({ Int64($0.text(0)) }) {
            try refuseAnotherTrail(key, ring, on: connection)
            return Chain(key: key, number: number, holder: holder)
        }
        try connection.run(setup: "BEGIN; SELECT pg_advisory_xact_lock(\(AdvisoryLock.migration))")
        let found = try connection.run(
            query: """
                SELECT coalesce(max(chain), 0) + 1, EXISTS (SELECT 1 FROM audit_trail WHERE copying IS NOT NULL)
                FROM audit_chains
                """)
        guard let number = found.first.flatMap({ Int64($0.text(0)) }) else { throw .malformed }
        guard found.first?.text(1) == "f" else { throw .unfinishedCopy }
        try refuseAnotherTrail(key, ring, on: connection)
        let head = ChainHead(link: .start, time: 0)
        try connection.run(
            setup: """
                \(head.insertion(as: number, holder: holder, from: .start, key));
                SELECT pg_try_advisory_lock(\(AdvisoryLock.chains), \(number)); COMMIT
                """)
        return Chain(key: key, number: number, holder: holder)
    }

    /// Throws where the trail has another key: it was begun anew while this broker was away, and what this one adds by the
    /// key of before would break it. One of both that was altered is no such sign.
    ///
    /// Called with a lock by which a reset sees this session, or has to wait for it.
    private static func refuseAnotherTrail(
        _ key: SecretBytes, _ ring: KeyRing, on connection: Connection
    ) throws(PostgresFailure) {
        let found = try connection.run(
            query: """
                SELECT encode(sealed_key, 'hex'), encode(anchor, 'hex'), encode(anchor_proof, 'hex') FROM audit_trail
                """)
        guard let row = found.first else { return }
        let bytes = { (column: Int32) in row.isNull(column) ? [] : [UInt8](hex: row.text(column)) ?? [] }
        if AuditAnchor(bytes(1), proof: bytes(2), key) != nil { return }
        if let current = try? AuditKey.open(bytes(0), ring), current.matches(key) { return }
        throw .anotherTrail
    }

    /// Runs `body` in one transaction and returns when that is on the disk: its result, and whether it is where it should
    /// be besides. Throws `UncertainCommit` where the answer to the commit is missing.
    func transaction<Result>(
        line: Transaction.Line, _ outstanding: OutstandingFlows, _ body: (Transaction) throws -> Result
    ) throws -> (result: Result, isWhole: Bool) {
        do {
            let transaction = try Transaction(on: connection, chain, outstanding, line: line)
            let result = try body(transaction)
            let mark = try transaction.prepareCommit()
            do {
                // From the first byte on: where sending fails, nobody can tell how much of it arrived.
                try transaction.sendCommit()
                return (result, try transaction.finishCommit())
            } catch let failure as PostgresFailure {
                if failure.endsConnection {
                    throw UncertainCommit(failure: failure, mark: mark, result: result)
                }
                throw failure
            }
        } catch let uncertain as UncertainCommit {
            throw uncertain
        } catch {
            // Whatever was thrown, the connection is to be as before it; where it is gone, that is what to tell.
            if (error as? PostgresFailure)?.endsConnection != true { try connection.recover() }
            throw error
        }
    }

    /// Tells whether a commit of this chain is there, after its connection was lost: the server finishes what that one
    /// had begun before it lets this one look. `nil`: another writer has the chain, and nothing tells.
    func holds(_ mark: Chain.Mark) throws(PostgresFailure) -> Bool? {
        connection.deadline = .now + Connection.patience
        _ = connection.takeWarnings()
        try connection.send(.begin)
        try connection.send(.fence, [.int(chain.number)])
        try connection.send(.oldest, [.int(chain.number), .int((mark.last?.sequence ?? 0) - 1), .int(1)])
        // No ROLLBACK: `fence` wrote its lock to the log, behind the commit that is looked for. So this COMMIT waits for
        // the standby as that one did; what a restart or a terminated backend left on this server alone is not yet there.
        try connection.send(.commit)
        try connection.sync()
        do throws(PostgresFailure) {
            _ = try connection.next()
            let row = try connection.next().first
            let event = try connection.next().first
            let tag = try connection.next().tag
            try connection.endSync()
            guard tag == "COMMIT", connection.takeWarnings() == 0 else {
                throw .lost("a standby may lack the commit")
            }
            if let row, row.bytes(ChainColumn.holder) == chain.holder {
                return row.int(ChainColumn.batch) >= mark.batch
            }
            guard let last = mark.last else { return nil }
            return event.map { $0.bytes(EventColumn.digest) == last.digest } ?? false
        } catch {
            if !error.endsConnection { try connection.recover() }
            throw error
        }
    }
}

/// A commit was sent, and its answer did not come: it may be there or not.
///
/// `@unchecked Sendable`: thrown and caught by the writer's thread.
struct UncertainCommit: Error, @unchecked Sendable {
    let failure: PostgresFailure
    let mark: Chain.Mark
    /// What `body` gave, good where the commit is there.
    let result: Any
}

extension [UInt8] {
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
