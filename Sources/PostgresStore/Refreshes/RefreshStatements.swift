/// A refresh as a row. `elapsed` is by the server's clock: machines' clocks differ.
enum RefreshColumn: Int32, Columns {
    case lease, isRunning, answer, failedLease, failure, machine, uptime, elapsed

    var sql: String { self == .elapsed ? "\(RefreshColumn.now) - time" : name }

    /// Unix milliseconds by the server's clock.
    static let now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
}

extension Statement {
    static let refresh = Statement("refresh", "SELECT \(RefreshColumn.list) FROM refreshes WHERE id = $1::bytea")

    /// Brokers that begin one refresh at once take turns, also where there is no row yet.
    static let lockRefresh = Statement(
        "lockRefresh", "SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 5))::text")

    /// A lease that ran out is remembered: its holder may have slept, and have the one answer that the provider gave.
    static let beginRefresh = Statement(
        "beginRefresh",
        """
        INSERT INTO refreshes AS r (id, tenant, source_type, lease, is_running, machine, uptime, time)
        VALUES ($1::bytea, $2::text, $3::text, $4::bytea, true, $5::bytea, $6::bigint, \(RefreshColumn.now))
        ON CONFLICT (id) DO UPDATE SET lease = excluded.lease, is_running = true, answer = NULL,
            overtaken = CASE WHEN r.is_running THEN r.lease WHEN r.answer IS NULL THEN r.overtaken END,
            machine = excluded.machine, uptime = excluded.uptime, time = excluded.time
        """)

    static let renewRefresh = Statement(
        "renewRefresh",
        """
        UPDATE refreshes SET machine = $1::bytea, uptime = $2::bigint, time = \(RefreshColumn.now)
        WHERE id = $3::bytea AND lease = $4::bytea AND is_running RETURNING 1
        """)

    /// A failure of before stays, for those who wait for its lease and have not looked since.
    static let endRefresh = Statement(
        "endRefresh",
        """
        UPDATE refreshes SET is_running = false, answer = $1::bytea,
            failed_lease = coalesce($2::bytea, failed_lease), failure = coalesce($3::bytea, failure),
            machine = $4::bytea, uptime = $5::bigint, time = \(RefreshColumn.now)
        WHERE id = $6::bytea
            AND (lease = $7::bytea AND is_running OR overtaken = $7 AND $1::bytea IS NOT NULL AND answer IS NULL)
        RETURNING 1
        """)

    static let link = Statement(
        "link",
        """
        INSERT INTO refresh_tokens (token, refresh) SELECT t, $2::bytea FROM unnest($1::bytea[]) t
        ON CONFLICT DO NOTHING
        """)

    static let unlink = Statement("unlink", "DELETE FROM refresh_tokens WHERE refresh = $1::bytea")

    /// The answer to an earlier refresh of the same grant has the token that was sent next. A running call ends by its
    /// own token alone: to ask for it once more, for an access token of before that is dropped, would be a second call.
    static let forgetRefreshes = Statement(
        "forgetRefreshes",
        """
        WITH RECURSIVE found (refresh) AS (
            SELECT refresh FROM refresh_tokens WHERE token = $1::bytea
            UNION
            SELECT other.refresh FROM found JOIN refresh_tokens AS one ON one.refresh = found.refresh
                JOIN refresh_tokens AS other ON other.token = one.token
        ), o AS (SELECT id FROM refreshes WHERE id IN (SELECT refresh FROM found) ORDER BY id FOR UPDATE)
        DELETE FROM refreshes r USING o WHERE r.id = o.id
            AND (NOT is_running OR r.id IN (SELECT refresh FROM refresh_tokens WHERE token = $1))
        """)

    static let forgetSelectedRefreshes = Statement(
        "forgetSelectedRefreshes",
        """
        DELETE FROM refreshes WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR source_type = $2)
        """)

    /// As `Moment.isWithin` says, by the server's clock in place of the machines'.
    static let sweepRefreshes = Statement(
        "sweepRefreshes",
        """
        DELETE FROM refreshes WHERE id IN (
            SELECT id FROM refreshes
            WHERE CASE WHEN machine = $1::bytea THEN $2::bigint - uptime > $3::bigint
                ELSE \(RefreshColumn.now) - time NOT BETWEEN 0 AND $3 END
            ORDER BY id LIMIT $4::bigint FOR UPDATE SKIP LOCKED)
        RETURNING 1
        """)
}
