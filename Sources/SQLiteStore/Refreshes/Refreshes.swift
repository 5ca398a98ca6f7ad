public import Broker
import Catalog
import Formats
import GRDB
public import Secrets

/// The refreshes that the brokers of one file share.
extension SQLiteStore {
    /// A lease that ran out is remembered: its holder may have slept, and have the one answer that the provider gave.
    private static let begin = """
        INSERT OR FAIL INTO refreshes (id, tenant, source_type, lease, is_running, machine, uptime, time)
        VALUES (?, ?, ?, ?, 1, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET lease = excluded.lease, is_running = 1, answer = NULL,
            overtaken = CASE WHEN is_running THEN lease WHEN answer IS NULL THEN overtaken END,
            machine = excluded.machine, uptime = excluded.uptime, time = excluded.time
        """

    /// Gives the lease in one transaction with the look at the row.
    public func beginRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, replacing unreadable: RefreshLease?, at moment: Moment
    ) async throws(StoreError) -> RefreshStart {
        try await writer.write { transaction in
            let db = transaction.db
            switch try RefreshRow.find(refresh, in: db)?.state(at: moment).standing {
            case .answered(let kept)? where kept.lease != unreadable: return .answered(kept)
            case .running(let other)?: return .running(other)
            case .answered?, .idle?, nil: break
            }
            let id = SQLValue.blob(refresh.digest.bytes)
            try db.run(
                Self.begin, id, .text(refresh.tenant.description), .text(refresh.sourceType.description),
                .blob(lease.bytes), .blob(moment.machine.bytes), .integer(moment.uptime),
                .integer(moment.time.milliseconds))
            try db.run("DELETE FROM refresh_tokens WHERE refresh = ?", id)
            try Self.link([refresh.token], to: refresh, in: db)
            return .begun
        }
    }

    private static func link(_ tokens: [Digest], to refresh: RefreshIdentity, in db: Database) throws {
        for token in tokens {
            try db.run(
                "INSERT OR IGNORE INTO refresh_tokens (token, refresh) VALUES (?, ?)", .blob(token.bytes),
                .blob(refresh.digest.bytes))
        }
    }

    private static let renew = """
        UPDATE OR FAIL refreshes SET machine = ?, uptime = ?, time = ? WHERE id = ? AND lease = ? AND is_running
        """

    /// Moves the lease's end, where it is still this one.
    public func renewRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, at moment: Moment
    ) async throws(StoreError) -> Bool {
        try await writer.write(isEnding: true) { transaction in
            try transaction.db.changesRow(
                Self.renew, .blob(moment.machine.bytes), .integer(moment.uptime), .integer(moment.time.milliseconds),
                .blob(refresh.digest.bytes), .blob(lease.bytes))
        }
    }

    /// A failure of before stays, for those who wait for its lease and have not looked since.
    private static let end = """
        UPDATE OR FAIL refreshes SET is_running = 0, answer = ?1, failed_lease = coalesce(?2, failed_lease),
            failure = coalesce(?3, failure), machine = ?4, uptime = ?5, time = ?6
        WHERE id = ?7 AND (lease = ?8 AND is_running OR overtaken = ?8 AND ?1 IS NOT NULL AND answer IS NULL)
        """

    /// Replaces the lease by the answer or the failure, where it is still this one. An answer is taken too where another
    /// lease overtook it, unless that brought one already; what is revoked has no row.
    public func endRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, with end: RefreshEnd, at moment: Moment
    ) async throws(StoreError) -> Bool {
        var (answer, failed, failure, tokens): (SQLValue, SQLValue, SQLValue, [Digest]) = (.null, .null, .null, [])
        switch end {
        case .answered(let sealed, let itsTokens): (answer, tokens) = (.blob(sealed.bytes), itsTokens)
        case .failed(let sealed): (failed, failure) = (.blob(lease.bytes), .blob(sealed.bytes))
        case .released: break
        }
        return try await writer.write(isEnding: true) { [answer, failed, failure, tokens] transaction in
            let hasEnded = try transaction.db.changesRow(
                Self.end, answer, failed, failure, .blob(moment.machine.bytes), .integer(moment.uptime),
                .integer(moment.time.milliseconds), .blob(refresh.digest.bytes), .blob(lease.bytes))
            guard hasEnded else { return false }
            try Self.link(tokens, to: refresh, in: transaction.db)
            return true
        }
    }

    /// Reads beside the writer.
    public func refreshState(
        of refresh: RefreshIdentity, at moment: Moment
    ) async throws(StoreError) -> RefreshState {
        try await reader.read { try RefreshRow.find(refresh, in: $0)?.state(at: moment) ?? .idle }
    }

    /// The answer to an earlier refresh of the same grant has the token that was sent next. A running call ends by its own
    /// token alone: to ask for it once more, for an access token of before that is dropped, would be a second call.
    private static let forget = """
        WITH RECURSIVE found (refresh) AS (
            SELECT refresh FROM refresh_tokens WHERE token = ?1
            UNION
            SELECT other.refresh FROM found JOIN refresh_tokens AS one ON one.refresh = found.refresh
                JOIN refresh_tokens AS other ON other.token = one.token
        )
        DELETE FROM refreshes WHERE id IN (SELECT refresh FROM found)
            AND (NOT is_running OR id IN (SELECT refresh FROM refresh_tokens WHERE token = ?1))
        """

    /// Follows the tokens from row to row, and deletes the rows, in one transaction.
    public func forgetRefreshes(of token: Digest) async throws(StoreError) {
        try await writer.write(isEnding: true) { try $0.db.run(Self.forget, .blob(token.bytes)) }
    }

    /// Those of an operator's selection.
    static func forgetRefreshes(_ selection: Selection, in db: Database) throws {
        try db.run(
            """
            DELETE FROM refreshes WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR source_type = ?2)
            """, .text(selection.tenant?.description), .text(selection.sourceType?.description))
    }

    /// As `Moment.isWithin` says. What lives longest, an answer, is over.
    private static let sweep = """
        DELETE FROM refreshes WHERE id IN (
            SELECT id FROM refreshes
            WHERE CASE WHEN machine = ?1 THEN ?2 - uptime > ?4 ELSE ?3 - time NOT BETWEEN 0 AND ?4 END LIMIT ?5)
        """

    /// Deletes rows that nobody is given any more.
    public func sweepRefreshes(at moment: Moment, limit: Int) async throws(StoreError) -> Bool {
        try await writer.write { transaction in
            let db = transaction.db
            try db.run(
                Self.sweep, .blob(moment.machine.bytes), .integer(moment.uptime),
                .integer(moment.time.milliseconds), .integer(RefreshAnswer.lifetime - 1), .integer(Int64(limit)))
            return db.changesCount >= limit
        }
    }
}
