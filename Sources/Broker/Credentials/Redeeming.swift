public import Secrets

extension Broker {
    /// The credentials' JSON, once. `nil` for every kind of bad key, tenant or verifier alike.
    public func redeem(
        _ key: CredentialKey, for tenant: TenantID, verifier: ExchangeVerifier?
    ) async throws(RedeemError) -> SecretBytes? {
        let redemption = Redemption(
            keyDigest: key.digest, tenant: tenant, challenge: verifier.map { ProofKeyChallenge(of: $0) }, now: now())
        let outcome: Redemption.Outcome
        do {
            outcome = try await store.redeem(redemption)
        } catch {
            throw .store(error)
        }
        switch outcome {
        case .redeemed(let sealed, let placement):
            report(Event(.credentialKeyRedeemed, placement))
            do {
                return try vault.open(sealed, at: placement, under: key)
            } catch {
                throw .sealBroken(placement.flow, error)
            }
        case .reused(let placement):
            report(Event(.credentialKeyReused, placement))
            return nil
        case .refused:
            report(Event(.credentialKeyRefused, nil, tenant: tenant))
            return nil
        }
    }
}

/// Why a sound key gave nothing.
public enum RedeemError: Error, Equatable, Sendable {
    case store(StoreError)
    /// The master key that the credentials need is gone from the ring, or the row was altered. They are lost.
    case sealBroken(FlowID, OpenError)
}
