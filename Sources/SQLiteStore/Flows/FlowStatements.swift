public import Broker
import Catalog
public import Formats
import GRDB
import Secrets
import StoreParts

// `OR FAIL` below and elsewhere: a failure takes the whole transaction back (see `WritingConnection`), so SQLite need
// not keep a journal of each statement beside it. That journal is 64 KiB, allocated and given back to the system every
// time.

/// The life of a flow.
extension SQLiteStore {
    /// Counts and inserts in one transaction, so that no other broker comes in between. Without admission nothing is
    /// recorded.
    public func start(_ flow: Flow, recording event: Event) async throws(StoreError) -> FlowAdmission {
        try await writer.write { transaction in
            let admission = try transaction.outstanding.admit(flow, in: transaction.db)
            guard case .admitted = admission else { return admission }
            try transaction.db.run(
                """
                INSERT OR FAIL INTO flows (id, tenant, source_type, parameters, scopes, frontend_origin, return_url,
                    exchange_challenge, redirect, client_id, master_key, status, expires_at, sweep_at, created_at, line)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM revocations))
                """,
                .blob(flow.id.bytes), .text(flow.tenant.description), .text(flow.sourceType.description),
                .text(FlowParameters.encode(flow.parameters)), .text(flow.scopes.joined(separator: " ")),
                .text(flow.frontendOrigin.description), .text(flow.returnURL?.text),
                .text(flow.exchangeChallenge?.text), .text(flow.redirect.description), .text(flow.clientID),
                .text(flow.key.description), .integer(Int64(FlowRow.Status.started)),
                .integer(flow.expiresAt.milliseconds),
                .integer(flow.expiresAt.milliseconds + Self.exchangeGraceMilliseconds),
                .integer(flow.startedAt.milliseconds))
            try transaction.record(event)
            return admission
        }
    }

    private static let claim = """
        UPDATE OR FAIL flows SET status = \(FlowRow.Status.exchanging), is_bound = ?
        WHERE id = ? AND redirect = ? AND status = \(FlowRow.Status.started) AND expires_at > ?
            AND NOT \(FlowRow.isRevoked)
        """

    private static let flow = "SELECT \(FlowRow.Column.ofFlow) FROM flows WHERE id = ?"

    /// `nil` for each reason alike: unknown, another address, claimed before, expired or revoked.
    public func claim(
        _ id: FlowID, at redirect: RedirectPath, isBound: Bool, now: Timestamp
    ) async throws(StoreError) -> Flow? {
        try await writer.write { transaction in
            let isClaimed = try transaction.db.changesRow(
                Self.claim, .integer(isBound ? 1 : 0), .blob(id.bytes), .text(redirect.description),
                .integer(now.milliseconds))
            guard isClaimed else { return nil }
            return try transaction.db.first(Self.flow, .blob(id.bytes), read: FlowRow.flow) ?? nil
        }
    }

    private static let succeed = """
        UPDATE OR FAIL flows SET status = \(FlowRow.Status.succeeded), key_digest = ?,
            sealed_key = CASE WHEN is_bound THEN ? END, key_expires_at = ?
        WHERE id = ? AND status = \(FlowRow.Status.exchanging) AND NOT \(FlowRow.isRevoked)
        """

    private static let keepKey = """
        INSERT OR FAIL INTO credential_keys (digest, flow, tenant, source_type, exchange_challenge, sealed,
            expires_at, created_at, flow_created_at, sealed_revocation, line)
        SELECT ?, id, tenant, source_type, exchange_challenge, ?, key_expires_at, ?, created_at, ?, line
        FROM flows WHERE id = ?
        """

    /// Keeps the sealed copy of the key only for a flow that is bound to the browser that began it. Taken however many
    /// operations wait.
    public func succeed(
        _ id: FlowID, with stored: StoredCredentialKey, recording event: Event
    ) async throws(StoreError) -> Bool {
        try await writer.write(isEnding: true) { transaction in
            let hasSucceeded = try transaction.db.changesRow(
                Self.succeed, .blob(stored.keyDigest.bytes), .blob(stored.key?.bytes),
                .integer(stored.expiresAt.milliseconds), .blob(id.bytes))
            guard hasSucceeded else { return false }
            let isKept = try transaction.db.changesRow(
                Self.keepKey, .blob(stored.keyDigest.bytes), .blob(stored.credentials.bytes),
                .integer(stored.createdAt.milliseconds), .blob(stored.revocation?.bytes), .blob(id.bytes))
            // Nothing else came between, so its row is there.
            guard isKept else { throw MalformedRow() }
            try transaction.record(event)
            return true
        }
    }

    private static let fail = """
        UPDATE OR FAIL flows SET status = \(FlowRow.Status.failed), error = ?, error_description = ?
        WHERE id = ? AND status = \(FlowRow.Status.exchanging)
        """

    /// Changes no flow that is not being exchanged, but records the event all the same. Taken however many operations
    /// wait.
    public func fail(
        _ id: FlowID, error: String, description: String?, recording event: Event
    ) async throws(StoreError) {
        try await writer.write(isEnding: true) { transaction in
            try transaction.db.run(Self.fail, .text(error), .text(description), .blob(id.bytes))
            try transaction.record(event)
        }
    }

    private static let noteTold = """
        UPDATE OR FAIL flows SET delivery = \(FlowRow.Delivery.told)
        WHERE id = ? AND is_bound AND status = \(FlowRow.Status.succeeded)
        """

    /// Marks the flow as told, in a transaction of its own.
    public func noteTold(_ id: FlowID) async throws(StoreError) {
        try await writer.write { transaction in try transaction.db.run(Self.noteTold, .blob(id.bytes)) }
    }

    private static let noteLost = """
        UPDATE OR FAIL flows SET delivery = \(FlowRow.Delivery.lost)
        WHERE id = ? AND redirect = ? AND NOT is_bound
            AND (status > \(FlowRow.Status.started) OR expires_at <= ? OR \(FlowRow.isRevoked))
        """

    /// Marks the flow as lost, unless its callback can still come or had come from the same browser.
    public func noteLost(_ id: FlowID, at redirect: RedirectPath, now: Timestamp) async throws(StoreError) -> Flow? {
        try await writer.write { transaction in
            let isLost = try transaction.db.changesRow(
                Self.noteLost, .blob(id.bytes), .text(redirect.description), .integer(now.milliseconds))
            guard isLost else { return nil }
            return try transaction.db.first(Self.flow, .blob(id.bytes), read: FlowRow.flow) ?? nil
        }
    }

    private static let outcome = "SELECT \(FlowRow.Column.list) FROM flows WHERE id = ?"

    /// Sees all that was committed before, and holds up no write: anybody may ask, as often as they like. A flow that an
    /// operator took back reads as failed.
    public func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome? {
        try await reader.read { db in
            try db.first(Self.outcome, .blob(id.bytes), read: FlowRow.outcome) ?? nil
        }
    }
}
