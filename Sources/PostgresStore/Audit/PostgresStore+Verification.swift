import Broker
public import Secrets
public import StoreParts

extension PostgresStore {
    /// Proves that the audit trail of a database is whole: each chain, and that none is missing. Changes nothing;
    /// brokers may run.
    ///
    /// Throws where the database cannot be read; a trail that does not fit, or whose key does not open, is `broken`.
    ///
    /// - Parameter progress: told the number of events that were read, every 10,000.
    public static func verifyAuditTrail(
        _ settings: PostgresSettings, keyRing: KeyRing, progress: (Int64) -> Void = { _ in }
    ) throws(PostgresOpeningError) -> AuditVerification {
        do {
            let connection = try connection(settings)
            try check(connection)
            try Migration.run(on: connection, nil, mayMigrate: false)
            // One view of all, whatever is committed meanwhile.
            try connection.run(
                setup: "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '10min'")
            try connection.run(setup: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.patience = .seconds(65)
            try connection.prepare(Verification.statements)
            return try Verification(connection, keyRing).run(progress)
        } catch let breach as Breach {
            return .broken(sequence: breach.sequence, finding: breach.finding)
        } catch {
            throw PostgresOpeningError(whichever: error)
        }
    }
}

/// One reading of the trail.
private struct Verification {
    static let trail = Statement("trail", "SELECT sealed_key, anchor, anchor_proof FROM audit_trail")
    static let chains = Statement("chains", "SELECT \(ChainColumn.list) FROM audit_chains c ORDER BY c.chain")
    static let strays = Statement(
        "strays",
        """
        SELECT chain, min(sequence) FROM audit_events e
        WHERE NOT EXISTS (SELECT 1 FROM audit_chains c WHERE c.chain = e.chain) GROUP BY 1 ORDER BY 1 LIMIT 1
        """)
    static let statements = [trail, chains, strays, .oldest]

    private let connection: Connection
    private let ring: KeyRing
    private static let page: Int64 = 2000

    init(_ connection: Connection, _ ring: KeyRing) {
        self.connection = connection
        self.ring = ring
    }

    func run(_ progress: (Int64) -> Void) throws -> AuditVerification {
        guard let trail = try connection.query(Self.trail).first else {
            throw Breach(sequence: 0, finding: "the trail's head is gone")
        }
        let key = try key(trail.bytes(0))
        var anchored: [Int64: ChainHead.Link] = [:]
        // There is one from the trail's first moment on.
        guard !trail.isNull(1), let anchor = AuditAnchor(trail.bytes(1), proof: trail.bytes(2), key) else {
            throw Breach(sequence: 0, finding: "the anchor of all chains was altered or removed")
        }
        anchored = Dictionary(uniqueKeysWithValues: anchor.heads.map { ($0.chain, $0.link) })
        if let stray = try connection.query(Self.strays).first {
            throw Breach(
                sequence: EventNumber(stray.int(0), stray.int(1)).value,
                finding: "the head of the event's chain is gone")
        }
        var (events, first, last): (Int64, Int64?, Int64) = (0, nil, 0)
        for row in try connection.query(Self.chains).rows {
            let chain = row.int(ChainColumn.chain)
            let anchor = anchored.removeValue(forKey: chain)
            do throws(Breach) {
                let (start, end) = try walk(row, key, anchor) { count in
                    events += 1
                    if events.isMultiple(of: 10_000) { progress(events) }
                    _ = count
                }
                guard end > start else { continue }
                first = first ?? EventNumber(chain, start + 1).value
                last = EventNumber(chain, end).value
            } catch {
                throw Breach(sequence: EventNumber(chain, error.sequence).value, finding: error.finding)
            }
        }
        if let (chain, link) = anchored.min(by: { $0.key < $1.key }) {
            throw Breach(
                sequence: EventNumber(chain, link.sequence).value, finding: "the event's whole chain was removed")
        }
        return .sound(events: events, first: first ?? 1, last: last)
    }

    /// Goes along a chain. Its first and last place.
    private func walk(
        _ row: QueryResult.Row, _ key: SecretBytes, _ anchor: ChainHead.Link?, met: (Int64) -> Void
    ) throws(Breach) -> (start: Int64, end: Int64) {
        let chain = row.int(ChainColumn.chain)
        let (head, start) = try ChainHead.proven(row, key)
        var walk = ChainWalk(key: key, orderedFrom: head.orderedFrom, from: start)
        if let anchor, anchor.sequence > head.link.sequence {
            throw Breach(sequence: head.link.sequence + 1, finding: "events from this one on were removed")
        }
        while true {
            let rows: [QueryResult.Row]
            do {
                rows = try connection.query(
                    .oldest, [.int(chain), .int(walk.link.sequence), .int(Self.page)]
                ).rows
            } catch {
                throw Breach(sequence: walk.link.sequence + 1, finding: "the events cannot be read: \(error.words)")
            }
            for row in rows {
                _ = try walk.step(row)
                if let anchor, anchor.sequence == walk.link.sequence, anchor != walk.link {
                    throw Breach(sequence: anchor.sequence, finding: "the event is another one")
                }
                met(walk.link.sequence)
            }
            if Int64(rows.count) < Self.page { break }
        }
        guard walk.link == head.link else {
            throw walk.link.sequence > head.link.sequence
                ? Breach(sequence: head.link.sequence + 1, finding: "events from this one on were added")
                : Breach(sequence: walk.link.sequence + 1, finding: "events from this one on were removed")
        }
        if !row.isNull(ChainColumn.brokenAt) {
            throw Breach(
                sequence: EventNumber(row.int(ChainColumn.brokenAt)).sequence,
                finding: "a broker found: \(row.text(ChainColumn.finding)); its later events are in its log alone")
        }
        return (start.sequence, head.link.sequence)
    }

    private func key(_ sealed: [UInt8]) throws(Breach) -> SecretBytes {
        do {
            return try AuditKey.open(sealed, ring)
        } catch {
            guard let id = error.missing else {
                throw Breach(sequence: 0, finding: "the trail's key was altered, or belongs to another master key")
            }
            throw Breach(
                sequence: 0, finding: "the trail's key needs the master key \"\(id)\", which is not in the file")
        }
    }
}
