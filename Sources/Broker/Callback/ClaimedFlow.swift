import Secrets

/// A flow whose `state` came back at its own address, unexpired and unspent until now.
///
/// Only the claim makes one, and only it can be verified and exchanged: no provider is asked for a state that is not
/// the broker's own.
final class ClaimedFlow: Sendable {
    let flow: Flow
    let callback: CallbackRequest
    let state: State
    /// The secret under which the flow's end may be asked for; `nil` where another browser than the one that began
    /// the flow brought the callback.
    let binding: OutcomeSecret?

    fileprivate init(_ flow: Flow, callback: CallbackRequest, state: State, binding: OutcomeSecret?) {
        self.flow = flow
        self.callback = callback
        self.state = state
        self.binding = binding
    }
}

extension Broker {
    /// Spends the state of a callback, unless the request is not sound.
    func claim(_ callback: CallbackRequest) async throws(CallbackFailure) -> ClaimedFlow {
        guard let state = callback.state else { throw callback.withoutState }
        if let failure = callback.repetition { throw failure }
        let id = FlowID(of: state)
        let binding = callback.presentedCookie(for: id).flatMap { secrets.outcomeSecret(in: $0, of: id) }
        let claimed: Flow?
        do {
            claimed = try await store.claim(
                id, at: callback.redirect, isBound: binding != nil || settings.trialVerifier != nil, now: now())
        } catch {
            throw CallbackFailure(error)
        }
        guard let flow = claimed else { throw await failure(of: callback, for: id, isBound: binding != nil) }
        let trial = settings.trialVerifier.flatMap { secrets.outcomeSecret(of: $0, for: flow.id, key: flow.key) }
        return ClaimedFlow(flow, callback: callback, state: state, binding: binding ?? trial)
    }

    /// The failure of a callback that claims nothing.
    ///
    /// Nobody is told what became of a state, but for the browser whose cookie proves that it began the flow: its page
    /// would wait in vain otherwise. Not where that browser claimed the flow before: a callback that comes twice must
    /// not end what the first one brings to a good end.
    private func failure(of callback: CallbackRequest, for id: FlowID, isBound: Bool) async -> CallbackFailure {
        guard isBound else { return callback.withoutFlow }
        do {
            let lost = try await store.noteLost(id, at: callback.redirect, now: now())
            return lost.map { callback.lost($0) } ?? callback.withoutFlow
        } catch {
            return CallbackFailure(error)
        }
    }
}
