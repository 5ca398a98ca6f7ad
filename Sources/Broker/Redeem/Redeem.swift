public import Formats
public import Secrets

extension Broker {
    /// The credentials' JSON, once (Docs/Contract.md#redeeming). `nil` for every kind of bad key, tenant or verifier
    /// alike, in the same time; none of them spends a key.
    public func redeem(
        _ key: CredentialKey, for tenant: TenantID, verifier: ExchangeVerifier?, by requester: Requester = .unknown
    ) async throws(RedeemError) -> SecretBytes? {
        let redemption = Redemption(
            keyDigest: key.digest, tenant: tenant, challenge: verifier.map { CodeChallenge(of: $0) }, now: now(),
            requester: requester)
        let outcome: Redemption.Outcome
        do {
            outcome = try await store.redeem(redemption, opening: opening(with: key))
        } catch {
            throw .store(error)
        }
        report(redemption.event(outcome))
        switch outcome {
        case .redeemed(let json, _): return json
        case .unreadable(let placement, let error, _): throw .sealBroken(placement.flow, error)
        case .reused, .refused: return nil
        }
    }
}

extension Broker {
    /// Opens before anything is spent: a key whose credentials do not open is neither spent nor reported as redeemed.
    func opening(with key: CredentialKey) -> Redemption.Opening {
        { [vault] sealed, placement throws(OpenError) in try vault.open(sealed, at: placement, under: key) }
    }
}

/// A reason for which a sound key gave nothing.
public enum RedeemError: Error, Equatable, Sendable {
    /// The store could not read or write.
    case store(StoreError)
    /// The master key that the credentials need is gone from the ring, or the row was altered. The key is not spent.
    case sealBroken(FlowID, OpenError)
}
