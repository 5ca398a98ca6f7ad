import Broker
import Catalog
import Formats
import Secrets

/// The row of a key that was presented.
struct Candidate {
    private let placement: Placement?
    private let challenge: String?
    private let expiresAt: Int64
    private let isSpent: Bool
    private let isRevoked: Bool
    /// False for a spent key that nothing is known of any more.
    private let isKnown: Bool
    private let sealed: Sealed<Credentials>

    init(_ row: QueryResult.Row) {
        if let tenant = TenantID(row.text(PresentedKey.tenant)),
            let type = SourceType.ID(row.text(PresentedKey.sourceType)),
            let id = FlowID(bytes: row.bytes(PresentedKey.flow))
        {
            placement = Placement(tenant: tenant, sourceType: type, flow: id)
        } else {
            placement = nil
        }
        challenge = row.textIfAny(PresentedKey.exchangeChallenge)
        expiresAt = row.int(PresentedKey.expiresAt)
        isSpent = row.bool(PresentedKey.isSpent)
        isRevoked = row.bool(PresentedKey.isRevoked)
        isKnown = row.bool(PresentedKey.isKnown)
        sealed = Sealed(stored: row.bytes(PresentedKey.sealed))
    }

    /// - Parameter isTaken: an earlier presentation of the same commit takes it.
    func judge(
        _ redemption: Redemption, isTaken: Bool, opening open: Redemption.Opening
    ) -> Redemption.Outcome {
        guard let placement else { return .refused }
        if isTaken || isSpent { return isKnown ? .reused(placement) : .refused }
        guard redemption.tenant == placement.tenant, challenge == nil || challenge == redemption.challenge?.text,
            redemption.now.milliseconds < expiresAt, !isRevoked
        else { return .refused }
        do throws(OpenError) {
            return .redeemed(try open(sealed, placement), placement)
        } catch {
            return .unreadable(placement, error, sealedUnder: sealed.keyID)
        }
    }
}
