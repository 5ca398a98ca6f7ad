public import Broker
import Catalog
public import Formats
import Foundation
import GRDB
public import Secrets

/// Flows and tickets in one SQLite file, which several brokers on one machine may share.
public struct SQLiteStore: FlowStore {
    let writer: Writer
    let reader: Reader
    /// For long looks, such as operators' lists: they hold up no flow, whose tenant's clients are read by `reader`.
    let lists: Reader
    let trail: AuditTrail
    let failures: FailedRedemptions
    private let outstanding: OutstandingFlows

    /// Opens or makes the database at `path` and brings its tables up to date.
    public init(path: String, keyRing: KeyRing, bounds: FlowBounds = FlowBounds()) throws(OpeningError) {
        try self.init(path: path, keyRing: keyRing, bounds: bounds, refusals: RefusalBudget())
    }

    /// - Parameter refusals: how many refused keys the trail takes.
    init(
        path: String, keyRing: KeyRing, bounds: FlowBounds = FlowBounds(), refusals: RefusalBudget
    ) throws(OpeningError) {
        outstanding = OutstandingFlows(bounds)
        try StoreFile.inspect(path)
        try StoreFile.prepare(path)
        let queue: DatabaseQueue
        (queue, trail) = try StoreFile.open(path, keyRing)
        do {
            if bounds.isOn { try queue.write { try OutstandingFlows.makeIndex($0) } }
            reader = Reader(try StoreFile.openForReading(path))
            lists = Reader(try StoreFile.openForReading(path))
        } catch {
            throw StoreFile.opening(error, path)
        }
        writer = Writer(queue, trail)
        failures = FailedRedemptions(writer, trail, budget: refusals)
    }

    /// Throws where the file at `path` is none that `init` would open. Changes nothing.
    ///
    /// - Parameter keyRing: `nil` where the master keys do not matter.
    public static func inspect(path: String, keyRing: KeyRing? = nil) throws(OpeningError) {
        try StoreFile.inspect(path, keyRing)
    }

    /// Finishes what was handed over; later calls throw `StoreError.closed`.
    public func close() async {
        await failures.flush()
        // The readers first: who closes last takes the write-ahead log back into the file.
        await reader.close()
        await lists.close()
        await writer.close()
    }

    /// How long after its end the sweep leaves a flow, so that a spent key is recognised.
    static let memory: Int64 = 86_400_000
    /// How long after its state's end the sweep leaves a flow alone: an exchange may still run.
    static let patience: Int64 = 300_000

    // `OR FAIL` below: a failure takes the whole transaction back (see `Writer`), so SQLite need not keep a journal of
    // each statement beside it. That journal is 64 KiB, allocated and given back to the system every time.

    public func start(_ flow: Flow, _ event: Event) async throws(StoreError) -> FlowAdmission {
        try await writer.write { [trail, outstanding] db in
            let admission = try outstanding.admit(flow, db)
            guard case .admitted = admission else { return admission }
            try db.run(
                """
                INSERT OR FAIL INTO flows (id, tenant, source_type, parameters, scopes, frontend_origin, return_url,
                    exchange_challenge, redirect, client_id, master_key, status, expires_at, sweep_at, created_at, line)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM revocations))
                """,
                .blob(flow.id.bytes), .text(flow.tenant.description), .text(flow.sourceType.description),
                .text(FlowRow.encode(flow.parameters)), .text(flow.scopes.joined(separator: " ")),
                .text(flow.frontendOrigin.description), .text(flow.returnURL?.text),
                .text(flow.exchangeChallenge?.text), .text(flow.redirect.description), .text(flow.clientID),
                .text(flow.key.description),
                .integer(flow.expiresAt.milliseconds), .integer(flow.expiresAt.milliseconds + Self.patience),
                .integer(flow.startedAt.milliseconds))
            try trail.append(event, db)
            return admission
        }
    }

    /// Tells whether an operator took back a flow: by a revocation after the last one that was there when it began.
    /// That is the store's own order, in which no clock has a say.
    static let isRevoked = """
        EXISTS (SELECT 1 FROM revocations WHERE id > flows.line
            AND (revocations.tenant IS NULL OR revocations.tenant = flows.tenant)
            AND (revocations.source_type IS NULL OR revocations.source_type = flows.source_type)
            AND (revocations.flow IS NULL OR revocations.flow = flows.id))
        """

    private static let claim = """
        UPDATE OR FAIL flows SET status = 1, is_bound = ?
        WHERE id = ? AND redirect = ? AND status = 0 AND expires_at > ?
            AND NOT \(isRevoked)
        RETURNING \(FlowRow.columns)
        """

    public func claim(
        _ id: FlowID, at redirect: RedirectPath, isBound: Bool, now: Timestamp
    ) async throws(StoreError) -> Flow? {
        try await writer.write { db in
            try db.first(
                Self.claim, .integer(isBound ? 1 : 0), .blob(id.bytes), .text(redirect.description),
                .integer(now.milliseconds), read: FlowRow.flow
            ) ?? nil
        }
    }

    private static let succeed = """
        UPDATE OR FAIL flows SET status = 2, key_digest = ?, sealed_key = CASE WHEN is_bound THEN ? END,
            key_expires_at = ?
        WHERE id = ? AND status = 1 AND NOT \(isRevoked)
        RETURNING tenant, source_type, exchange_challenge, created_at, line
        """

    public func succeed(_ id: FlowID, with ticket: Ticket, _ event: Event) async throws(StoreError) -> Bool {
        try await writer.write(isEnding: true) { [trail] db in
            let expiry = ticket.expiresAt.milliseconds
            let flow = try db.first(
                Self.succeed, .blob(ticket.keyDigest.bytes), .blob(ticket.key?.bytes), .integer(expiry), .blob(id.bytes)
            ) { row in
                (
                    tenant: row.text(0), sourceType: row.text(1), challenge: row.textIfAny(2),
                    startedAt: row.integer(3), line: row.integer(4)
                )
            }
            guard let flow else { return false }
            try db.run(
                """
                INSERT OR FAIL INTO credential_keys (digest, flow, tenant, source_type, exchange_challenge, sealed, expires_at,
                    created_at, flow_created_at, sealed_revocation, line)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                .blob(ticket.keyDigest.bytes), .blob(id.bytes), .text(flow.tenant), .text(flow.sourceType),
                .text(flow.challenge), .blob(ticket.credentials.bytes), .integer(expiry),
                .integer(ticket.createdAt.milliseconds), .integer(flow.startedAt), .blob(ticket.revocation?.bytes),
                .integer(flow.line))
            try trail.append(event, db)
            return true
        }
    }

    public func fail(
        _ id: FlowID, error: String, description: String?, _ event: Event
    ) async throws(StoreError) {
        try await writer.write(isEnding: true) { [trail] db in
            try db.run(
                "UPDATE OR FAIL flows SET status = 3, error = ?, error_description = ? WHERE id = ? AND status = 1",
                .text(error), .text(description), .blob(id.bytes))
            try trail.append(event, db)
        }
    }

    private static let outcome = """
        SELECT \(FlowRow.columns), status, is_bound, sealed_key, key_expires_at, error, error_description,
            \(isRevoked)
        FROM flows WHERE id = ?
        """

    public func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome? {
        try await writer.write { db in try db.first(Self.outcome, .blob(id.bytes), read: FlowRow.outcome) ?? nil }
    }

    public func check() async throws(StoreError) {
        // It needs the lock, a file that can be written, and room on the disk. The number changes, since SQLite would skip
        // a write of what is there already.
        try await writer.write { db in
            try db.run("UPDATE OR FAIL audit_trail SET writes = writes + 1")
            try db.run("UPDATE OR FAIL flows SET status = status WHERE id = x''")
        }
    }
}
