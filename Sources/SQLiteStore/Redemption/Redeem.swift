public import Broker
import Catalog
import Formats
import GRDB
public import Secrets
import StoreParts

extension SQLiteStore {
    /// Every failure takes one way and one time: the same one statement, which finds a row whatever key was presented,
    /// and no write. What has to be kept of it is written later, see `FailedRedemptions`.
    public func redeem(
        _ redemption: Redemption, opening open: @escaping Redemption.Opening
    ) async throws(StoreError) -> Redemption.Outcome {
        let outcome = try await writer.write { transaction in
            let db = transaction.db
            let candidate = try db.first(Self.candidate, .blob(redemption.keyDigest.bytes), read: Candidate.init)
            guard let candidate else { return Redemption.Outcome.refused }
            let found = candidate.judge(redemption)
            guard case .good(let placement) = found else { return found.outcome }
            guard let sealed = try Self.sealed(redemption, in: db) else { return .refused }
            let json: SecretBytes
            do throws(OpenError) {
                json = try open(sealed, placement)
            } catch {
                return .unreadable(placement, error, sealedUnder: sealed.keyID)
            }
            guard try Self.take(redemption, at: placement, from: db) else { return .refused }
            let outcome = Redemption.Outcome.redeemed(json, placement)
            try transaction.record(redemption.event(outcome))
            return outcome
        }
        if case .redeemed = outcome { return outcome }
        failures.note(redemption, outcome)
        return outcome
    }

    private static let isTaken = """
        SELECT 1 FROM flows WHERE key_digest = ?
            AND (status = \(FlowRow.Status.redeemed) OR delivery = \(FlowRow.Delivery.told))
        """

    /// Reads beside the writer; a key that is gone for another reason is not taken.
    public func isTaken(_ keyDigest: Digest) async throws(StoreError) -> Bool {
        try await reader.read { try $0.first(Self.isTaken, .blob(keyDigest.bytes)) { _ in } != nil }
    }

    /// The flow with this key or, where there is none, the next one by its digest: to find it costs as much.
    private static let candidate = """
        SELECT \(Candidate.Column.list)
        FROM flows INDEXED BY flows_by_key WHERE key_digest >= ? ORDER BY key_digest LIMIT 1
        """

    private static func sealed(_ redemption: Redemption, in db: Database) throws -> Sealed<Credentials>? {
        try db.first("SELECT sealed FROM credential_keys WHERE digest = ?", .blob(redemption.keyDigest.bytes)) {
            Sealed(stored: $0.blob(0))
        }
    }

    /// Presentations while it was unreadable leave the alarms of a spent key their room.
    private static let spend = """
        UPDATE OR FAIL flows SET status = \(FlowRow.Status.redeemed), sealed_key = NULL, reuses = 0 WHERE id = ?
        """

    /// Takes the credential key out of the store, under all conditions once more.
    private static func take(_ redemption: Redemption, at placement: Placement, from db: Database) throws -> Bool {
        let isTaken = try db.changesRow(
            """
            DELETE FROM credential_keys
            WHERE digest = ? AND tenant = ? AND expires_at > ?
                AND (exchange_challenge IS NULL OR exchange_challenge = ?) AND flow = ?
            """,
            .blob(redemption.keyDigest.bytes), .text(redemption.tenant.description),
            .integer(redemption.now.milliseconds), .text(redemption.challenge?.text), .blob(placement.flow.bytes))
        guard isTaken else { return false }
        try db.run(Self.spend, .blob(placement.flow.bytes))
        return true
    }
}

/// A flow that a presented key may be of.
private struct Candidate {
    private let digest: [UInt8]
    private let placement: Placement?
    private let status: Flow.Status?
    private let challenge: String?
    private let expiresAt: Int64
    private let isRevoked: Bool

    enum Column: Int32, Columns {
        case keyDigest, tenant, sourceType, id, status, exchangeChallenge, keyExpiresAt, isRevoked

        var sql: String { self == .isRevoked ? FlowRow.isRevoked : name }
    }

    enum Finding {
        case good(Placement)
        case spent(Placement)
        case bad

        var outcome: Redemption.Outcome {
            if case .spent(let placement) = self { .reused(placement) } else { .refused }
        }
    }

    init(_ row: SQLRow) {
        digest = row.blob(Column.keyDigest)
        if let tenant = TenantID(row.text(Column.tenant)), let type = SourceType.ID(row.text(Column.sourceType)),
            let id = FlowID(bytes: row.blob(Column.id))
        {
            placement = Placement(tenant: tenant, sourceType: type, flow: id)
        } else {
            placement = nil
        }
        status = Flow.Status(rawValue: Int(row.integer(Column.status)))
        challenge = row.textIfAny(Column.exchangeChallenge)
        expiresAt = row.isNull(Column.keyExpiresAt) ? .max : row.integer(Column.keyExpiresAt)
        isRevoked = row.integer(Column.isRevoked) != 0
    }

    func judge(_ redemption: Redemption) -> Finding {
        let isTenant = redemption.tenant == placement?.tenant
        let isChallenge = challenge == nil || challenge == redemption.challenge?.text
        let isAlive = redemption.now.milliseconds < expiresAt && !isRevoked
        guard constantTimeEqual(digest, redemption.keyDigest.bytes), let placement else { return .bad }
        switch status {
        case .redeemed: return .spent(placement)
        case .succeeded where isTenant && isChallenge && isAlive: return .good(placement)
        default: return .bad
        }
    }
}
