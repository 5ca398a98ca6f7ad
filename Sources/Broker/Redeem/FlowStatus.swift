public import Formats
public import Secrets

extension Broker {
    /// The cookie by which this browser's flow may be asked for, if the caller began the flow; `nil` unless the flow
    /// waits for its callback and verifier and origin are its own.
    ///
    /// - Parameter frontendOrigin: the origin of the page that opened the popup, as the popup's page saw it.
    public func bindingCookie(
        for id: FlowID, verifier: ExchangeVerifier, frontendOrigin: String
    ) async throws(StoreError) -> BindingCookie? {
        guard let outcome = try await store.outcome(of: id), outcome.status == .started,
            now() < outcome.flow.expiresAt, outcome.flow.exchangeChallenge == CodeChallenge(of: verifier),
            outcome.flow.frontendOrigin.description == frontendOrigin
        else { return nil }
        let key = outcome.flow.key
        guard let secret = secrets.outcomeSecret(of: verifier, for: id, key: key),
            let cookie = secrets.bindingCookie(with: secret, of: id, key: key)
        else {
            await tellUnreadable(OpenError.unknownKey(key).reason(key), outcome.flow)
            return nil
        }
        return cookie
    }

    /// The origin that the pages of a flow may send their message to; `nil` where there is no such flow.
    public func frontendOrigin(of id: FlowID) async throws(StoreError) -> Origin? {
        try await store.outcome(of: id)?.flow.frontendOrigin
    }

    /// The answer to `assets:oauthFlow` (Docs/Contract.md#the-outcome-of-a-flow).
    public enum FlowStatus: Sendable {
        /// Not ended, or nothing that this caller may know: one case for all, so that nobody can tell them apart.
        case pending
        /// Without a key where it was redeemed already.
        case succeeded(CredentialKey?)
        /// The failure's `CallbackError.code` or `expired`, and the provider's words on it.
        case failed(error: String, description: String?)
    }

    /// Tells whether the app took what waits under a key: it was redeemed, or told to the page that began the flow.
    /// Says nothing to callers without the key.
    public func isTaken(_ key: CredentialKey) async throws(StoreError) -> Bool {
        try await store.isTaken(key.digest)
    }

    /// The end of a flow, for a caller with its verifier, if the callback came from the browser that began it, first or
    /// later. Everything else is `pending`, also a key that does not open. Reads without spending.
    public func flowStatus(
        of id: FlowID, for tenant: TenantID, verifier: ExchangeVerifier
    ) async throws(StoreError) -> FlowStatus {
        guard let outcome = try await store.outcome(of: id), outcome.flow.tenant == tenant,
            outcome.isBound || outcome.delivery == .lost,
            outcome.flow.exchangeChallenge == CodeChallenge(of: verifier), now() < outcome.expiresAt
        else { return .pending }
        if outcome.delivery == .lost { return .failed(error: CallbackError.invalidState.code, description: nil) }
        switch outcome.status {
        case .started, .exchanging: return .pending
        case .failed: return .failed(error: outcome.error ?? "invalid_state", description: outcome.errorDescription)
        case .redeemed: return .succeeded(nil)
        case .succeeded:
            guard let key = await key(of: outcome, verifier: verifier) else { return .pending }
            if outcome.delivery != .told { try await store.noteTold(id) }
            return .succeeded(key)
        }
    }

    /// The credential key that waits, opened with the verifier; `nil` where it does not open, which is reported once.
    private func key(of outcome: FlowOutcome, verifier: ExchangeVerifier) async -> CredentialKey? {
        guard let sealed = outcome.key else { return nil }
        let flow = outcome.flow
        do throws(OpenError) {
            guard let secret = secrets.outcomeSecret(of: verifier, for: flow.id, key: flow.key) else {
                throw .unknownKey(flow.key)
            }
            return try vault.open(sealed, at: flow.placement, under: secret)
        } catch {
            await tellUnreadable(error.reason(sealed.keyID), flow)
            return nil
        }
    }

    private func tellUnreadable(_ reason: Reason, _ flow: Flow) async {
        if await unreadable.isNews(flow.id) { tell(Incident(.outcomeUnreadable, reason, at: flow.placement)) }
    }

    /// The end of a trial's flow, for the operator at whose terminal the broker runs.
    package enum Conclusion: Sendable {
        /// The credentials' JSON; the key is spent.
        case succeeded(SecretBytes)
        /// The failure's code, and the reason that the audit trail has.
        case failed(error: String, reason: String?)
        /// The key was already spent.
        case redeemed
        /// The key, or the credentials under it, cannot be decrypted.
        case unreadable
        /// No callback or no redemption in time, or no such flow.
        case expired
    }

    /// The end of a trial's flow, its credentials redeemed; `nil` while it runs.
    ///
    /// - Parameter verifier: the settings' `trialVerifier`, whose challenge the flow began with.
    package func conclude(_ id: FlowID, verifier: ExchangeVerifier) async throws(StoreError) -> Conclusion? {
        guard let outcome = try await store.outcome(of: id) else { return .expired }
        switch outcome.status {
        case .started where outcome.flow.expiresAt <= now(): return .expired
        case .started, .exchanging: return nil
        case .failed:
            let failures = try await store.events(EventFilter(kind: .flowFailed), before: nil, limit: 10).events
            let event = failures.first { $0.event.flow == id }?.event
            return .failed(error: outcome.error ?? "invalid_state", reason: event?.detail)
        case .redeemed: return .redeemed
        case .succeeded:
            guard now() < outcome.expiresAt else { return .expired }
            guard let key = await key(of: outcome, verifier: verifier) else { return .unreadable }
            let redemption = Redemption(
                keyDigest: key.digest, tenant: outcome.flow.tenant, challenge: outcome.flow.exchangeChallenge,
                now: now())
            switch try await store.redeem(redemption, opening: opening(with: key)) {
            case .redeemed(let json, _): return .succeeded(json)
            case .unreadable: return .unreadable
            case .reused, .refused: return .redeemed
            }
        }
    }
}
