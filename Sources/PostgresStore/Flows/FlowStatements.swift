// One statement for all operations of a kind in a commit: their values come as arrays. Rows are locked in the order of
// their keys, so that no two brokers wait for each other.

extension Statement {
    /// Waits for the turn of each tenant, in one order.
    static let tenantTurns = Statement(
        "tenantTurns",
        """
        SELECT pg_advisory_xact_lock(\(AdvisoryLock.tenants), h) FROM
            (SELECT DISTINCT hashtext(t) h FROM unnest($1::text[]) t ORDER BY 1) hashes
        """)

    enum Room: Int32, Columns {
        case tenant, count
    }

    /// The outstanding flows of each tenant, counted up to a bound.
    static let room = Statement(
        "room",
        """
        SELECT u.t, (SELECT count(*) FROM (SELECT 1 FROM flows f
            WHERE f.tenant = u.t AND f.\(FlowRow.Status.isOpen) AND f.expires_at > u.n LIMIT $3::bigint) counted)
        FROM unnest($1::text[], $2::bigint[]) u(t, n)
        """)

    static let outstanding = Statement(
        "outstanding",
        "SELECT count(*) FROM flows WHERE \(FlowRow.Status.isOpen) AND expires_at > $1::bigint")

    static let start = Statement(
        "start",
        """
        INSERT INTO flows (id, created_at, expires_at, line, tenant, source_type, parameters, scopes, frontend_origin,
            return_url, exchange_challenge, master_key, redirect, client_id)
        SELECT u.id, u.c, u.e, g.revocations, u.t, u.s, u.p, u.sc, u.o, u.r, u.ch, u.mk, u.rd, u.cl
        FROM generation g, unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
            u(id, c, e, t, s, p, sc, o, r, ch, mk, rd, cl)
        ON CONFLICT DO NOTHING RETURNING id
        """)

    static let claim = Statement(
        "claim",
        """
        WITH u AS (SELECT f.id, u.b FROM unnest($1::bytea[], $2::text[], $3::boolean[], $4::bigint[]) u(id, r, b, n)
            JOIN flows f ON f.id = u.id
            WHERE f.status = \(FlowRow.Status.started) AND f.redirect = u.r AND f.expires_at > u.n
            ORDER BY f.id FOR UPDATE OF f)
        UPDATE flows SET status = \(FlowRow.Status.exchanging), is_bound = u.b FROM u
        WHERE flows.id = u.id AND flows.status = \(FlowRow.Status.started) AND NOT \(FlowRow.isRevoked)
        RETURNING \(FlowRow.Column.ofFlow)
        """)

    /// The flows that took their key.
    static let succeed = Statement(
        "succeed",
        """
        WITH u AS MATERIALIZED (SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[],
                $5::bigint[], $6::bytea[], $7::bytea[]) u(id, d, sk, e, c, s, r)),
            o AS (SELECT f.id FROM u JOIN flows f USING (id) WHERE f.status = \(FlowRow.Status.exchanging)
                ORDER BY f.id FOR UPDATE OF f),
            f AS (UPDATE flows SET status = \(FlowRow.Status.succeeded),
                    sealed_key = CASE WHEN is_bound THEN u.sk END, key_expires_at = u.e
                FROM u JOIN o USING (id)
                WHERE flows.id = u.id AND flows.status = \(FlowRow.Status.exchanging) AND NOT \(FlowRow.isRevoked)
                RETURNING flows.id, flows.tenant, flows.source_type, flows.exchange_challenge, flows.line,
                    u.d, u.e, u.c, u.s, u.r)
        INSERT INTO credential_keys (digest, flow, expires_at, created_at, line, tenant, source_type,
            exchange_challenge, sealed, sealed_revocation)
        SELECT d, id, e, c, line, tenant, source_type, exchange_challenge, s, r FROM f RETURNING flow
        """)

    static let fail = Statement(
        "fail",
        """
        WITH o AS (SELECT f.id, u.e, u.d FROM unnest($1::bytea[], $2::text[], $3::text[]) u(id, e, d)
            JOIN flows f ON f.id = u.id WHERE f.status = \(FlowRow.Status.exchanging) ORDER BY f.id FOR UPDATE OF f)
        UPDATE flows SET status = \(FlowRow.Status.failed), error = o.e, error_description = o.d FROM o
        WHERE flows.id = o.id AND flows.status = \(FlowRow.Status.exchanging)
        """)

    /// Waits for nobody: who holds such a flow redeems or ends it.
    static let noteTold = Statement(
        "noteTold",
        """
        WITH o AS (SELECT f.id FROM unnest($1::bytea[]) u(id) JOIN flows f ON f.id = u.id
            WHERE f.is_bound AND f.status = \(FlowRow.Status.succeeded) ORDER BY f.id FOR UPDATE OF f SKIP LOCKED)
        UPDATE flows SET delivery = 1 FROM o WHERE flows.id = o.id
        """)

    static let noteLost = Statement(
        "noteLost",
        """
        UPDATE flows SET delivery = 2
        WHERE id = $1::bytea AND redirect = $2::text AND NOT is_bound
            AND (status > \(FlowRow.Status.started) OR expires_at <= $3::bigint OR \(FlowRow.isRevoked))
        RETURNING \(FlowRow.Column.ofFlow)
        """)

    static let outcome = Statement("outcome", "SELECT \(FlowRow.Column.list) FROM flows WHERE id = $1::bytea")
}
