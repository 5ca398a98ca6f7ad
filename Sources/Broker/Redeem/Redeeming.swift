public import Secrets

extension Broker {
    /// The credentials' JSON, once. `nil` for every kind of bad key, tenant or verifier alike.
    public func redeem(
        _ key: CredentialKey, for tenant: TenantID, verifier: ExchangeVerifier?, by requester: Requester = .unknown
    ) async throws(RedeemError) -> SecretBytes? {
        let redemption = Redemption(
            keyDigest: key.digest, tenant: tenant, challenge: verifier.map { ProofKeyChallenge(of: $0) }, now: now(),
            requester: requester)
        let outcome: Redemption.Outcome
        do {
            outcome = try await store.redeem(redemption)
        } catch {
            throw .store(error)
        }
        report(redemption.event(outcome))
        switch outcome {
        case .redeemed(let sealed, let placement):
            do {
                return try vault.open(sealed, at: placement, under: key)
            } catch {
                throw .sealBroken(placement.flow, error)
            }
        case .reused, .refused: return nil
        }
    }
}

/// Why a sound key gave nothing.
public enum RedeemError: Error, Equatable, Sendable {
    case store(StoreError)
    /// The master key that the credentials need is gone from the ring, or the row was altered. They are lost.
    case sealBroken(FlowID, OpenError)
}
