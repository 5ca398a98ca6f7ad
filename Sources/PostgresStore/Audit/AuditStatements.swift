import StoreParts

/// A chain of the trail, as a transaction finds it.
enum ChainColumn: Int32, Columns {
    case chain, holder, batch
    case last, lastDigest, lastTime, lastProof
    case start, startDigest, startProof, orderedFrom
    case brokenAt, finding
    case isSynchronous

    var sql: String { self == .isSynchronous ? "current_setting('synchronous_standby_names') <> ''" : "c.\(name)" }
}

/// An event as the trail keeps it.
enum EventColumn: Int32, Columns {
    case chain, sequence, time, type
    case tenant, sourceType, flow, actor, tokenID, remoteAddress, code, reason, requestID
    case digest

    /// Those of `AuditEntry.parts`.
    static let parts = Array(allCases.drop { $0 != .tenant }.prefix { $0 != .digest })
}

extension Statement {
    /// Locks the writer's own chain: the last transaction of a lost connection is waited for here.
    static let fence = Statement(
        "fence", "SELECT \(ChainColumn.list) FROM audit_chains c WHERE c.chain = $1::bigint FOR UPDATE OF c")

    /// After `fence`, as what it waited for is seen by a later statement only.
    static let newest = Statement(
        "newest",
        "SELECT sequence, digest FROM audit_events WHERE chain = $1::bigint ORDER BY sequence DESC LIMIT 1")

    static let line = Statement("line", "SELECT pg_advisory_xact_lock_shared(\(AdvisoryLock.line))::text")
    static let revocationLine = Statement(
        "revocationLine", "SELECT pg_advisory_xact_lock(\(AdvisoryLock.line))::text")

    static let append = Statement(
        "append",
        """
        INSERT INTO audit_events (\(EventColumn.list))
        SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[])
        """)

    /// Each transaction's mark: by it a writer tells whether a commit that was not answered is there.
    static let advance = Statement(
        "advance",
        """
        UPDATE audit_chains SET batch = $2::bigint, last = $3::bigint, last_digest = $4::bytea, last_time = $5::bigint,
            last_proof = $6::bytea WHERE chain = $1::bigint
        """)

    static let markBroken = Statement(
        "markBroken",
        """
        UPDATE audit_chains SET batch = $2::bigint, broken_at = coalesce(broken_at, $3::bigint),
            finding = coalesce(finding, $4::text) WHERE chain = $1::bigint
        """)

    // MARK: forgetting

    /// A chain whose oldest event is from before a moment, locked. Its writer holds it before the line of revocations,
    /// which is held here: it is not waited for, and forgets in a sweep of its own.
    static let chainToForget = Statement(
        "chainToForget",
        """
        SELECT \(ChainColumn.list) FROM audit_chains c WHERE c.broken_at IS NULL AND c.last > c.start
            AND c.chain > $2::bigint AND EXISTS (SELECT 1 FROM audit_events e
                WHERE e.chain = c.chain AND e.sequence = c.start + 1 AND e.time < $1::bigint)
        ORDER BY c.chain LIMIT 1 FOR UPDATE OF c SKIP LOCKED
        """)

    static let oldest = Statement(
        "oldest",
        """
        SELECT \(EventColumn.list) FROM audit_events WHERE chain = $1::bigint AND sequence > $2::bigint
        ORDER BY sequence LIMIT $3::bigint
        """)

    static let forgetEvents = Statement(
        "forgetEvents", "DELETE FROM audit_events WHERE chain = $1::bigint AND sequence <= $2::bigint")

    static let keepStart = Statement(
        "keepStart",
        """
        UPDATE audit_chains SET start = $2::bigint, start_digest = $3::bytea, start_proof = $4::bytea
        WHERE chain = $1::bigint
        """)

    static let heads = Statement("heads", "SELECT chain, last, last_digest FROM audit_chains ORDER BY chain")

    static let anchor = Statement("anchor", "SELECT anchor, anchor_proof FROM audit_trail")

    static let keepAnchor = Statement(
        "keepAnchor", "UPDATE audit_trail SET anchor = $1::bytea, anchor_proof = $2::bytea")

    // MARK: reading

    static let eventTime = Statement(
        "eventTime", "SELECT time FROM audit_events WHERE chain = $1::bigint AND sequence = $2::bigint")

    /// - Parameter end: true for the last of the events that are looked at, in place of those that fit.
    private static func page(isSeldom: Bool, end: Bool) -> String {
        """
        SELECT \(end ? "time, chain, sequence" : EventColumn.list) FROM (
            SELECT \(EventColumn.list) FROM audit_events
            WHERE (time, chain, sequence) < ($1::bigint, $2::bigint, $3::bigint) AND time >= $4::bigint
                \(isSeldom ? "AND \(AuditEntry.isSeldom) AND type = $6::text" : "")
            ORDER BY time DESC, chain DESC, sequence DESC LIMIT $5::bigint) looked
        \(end ? "OFFSET $5::bigint - 1" : "WHERE ($6::text IS NULL OR type = $6) AND ($7::text IS NULL OR tenant = $7)")
        \(end ? "" : "ORDER BY time DESC, chain DESC, sequence DESC LIMIT $8::bigint")
        """
    }

    static let events = Statement("events", page(isSeldom: false, end: false))
    static let seldomEvents = Statement("seldomEvents", page(isSeldom: true, end: false))
    static let eventsEnd = Statement("eventsEnd", page(isSeldom: false, end: true))
    static let seldomEventsEnd = Statement("seldomEventsEnd", page(isSeldom: true, end: true))

    static let auditKey = Statement("auditKey", "SELECT sealed_key FROM audit_trail")
    static let resealAuditKey = Statement("resealAuditKey", "UPDATE audit_trail SET sealed_key = $1::bytea")
}
