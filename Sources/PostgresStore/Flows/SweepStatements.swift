// Where a sweep begins: what lies before was met by an earlier one. Rows that others hold are left to the next.

extension Statement {
    static let sweepTurn = Statement("sweepTurn", "SELECT pg_try_advisory_xact_lock(\(AdvisoryLock.sweep))")

    enum SweepMarks: Int32, Columns {
        case flowsFrom, keysFrom, sweptAt, wholeAt
    }

    static let sweepMarks = Statement("sweepMarks", "SELECT \(SweepMarks.list) FROM sweeps")

    static let keepSweepMarks = Statement(
        "keepSweepMarks",
        """
        UPDATE sweeps SET flows_from = $1::bigint, keys_from = $2::bigint, swept_at = $3::bigint,
            whole_at = $4::bigint
        """)

    static let noteWhole = Statement(
        "noteWhole", "UPDATE sweeps SET whole_at = $1::bigint, swept_at = least(swept_at, $1::bigint)")

    static let sweepKeys = Statement(
        "sweepKeys",
        """
        WITH d AS (SELECT digest FROM credential_keys WHERE expires_at <= $1::bigint AND expires_at > $2::bigint
                AND spent_at IS NULL ORDER BY expires_at LIMIT $3::bigint FOR UPDATE SKIP LOCKED)
        DELETE FROM credential_keys c USING d WHERE c.digest = d.digest AND c.spent_at IS NULL
        RETURNING c.flow, c.tenant, c.source_type
        """)

    static let forgetSealedKeys = Statement(
        "forgetSealedKeys",
        """
        WITH o AS (SELECT id FROM flows WHERE id = ANY ($1::bytea[]) AND sealed_key IS NOT NULL ORDER BY id FOR UPDATE)
        UPDATE flows SET sealed_key = NULL FROM o WHERE flows.id = o.id
        """)

    static let sweepFlows = Statement(
        "sweepFlows",
        """
        WITH d AS (SELECT id FROM flows WHERE expires_at <= $1::bigint AND expires_at > $2::bigint
                AND \(FlowRow.Status.isOpen) ORDER BY expires_at LIMIT $3::bigint FOR UPDATE SKIP LOCKED)
        UPDATE flows f SET status = \(FlowRow.Status.failed), error = '\(FlowRow.expired)' FROM d
        WHERE f.id = d.id AND f.\(FlowRow.Status.isOpen) RETURNING f.id, f.tenant, f.source_type
        """)

    static let forgetFlows = Statement(
        "forgetFlows",
        """
        WITH d AS (SELECT id FROM flows WHERE expires_at <= $1::bigint AND coalesce(key_expires_at, 0) <= $2::bigint
                ORDER BY expires_at LIMIT $3::bigint FOR UPDATE SKIP LOCKED)
        DELETE FROM flows f USING d WHERE f.id = d.id
        """)

    /// Spent keys whose flow is gone: until then a second presentation is told.
    static let forgetKeys = Statement(
        "forgetKeys",
        """
        WITH d AS (SELECT digest FROM credential_keys c WHERE expires_at <= $1::bigint
                AND NOT EXISTS (SELECT 1 FROM flows f WHERE f.id = c.flow)
                ORDER BY expires_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)
        DELETE FROM credential_keys c USING d WHERE c.digest = d.digest
        """)

    /// Those that are older than each flow and key that is still here. Flows that began before hold the lowest lines;
    /// the oldest expire first, but for lifetimes that an operator changed: so all lines are looked at, once for all
    /// revocations, and only where one is old enough (`+ 0`: else the index would ask for the lines first).
    static let forgetRevocations = Statement(
        "forgetRevocations",
        """
        DELETE FROM revocations r WHERE r.time < $1::bigint
            AND r.id + 0 <= (SELECT coalesce(min(line), 9223372036854775807) FROM flows)
            AND r.id + 0 <= (SELECT coalesce(min(line), 9223372036854775807) FROM credential_keys)
        """)
}
