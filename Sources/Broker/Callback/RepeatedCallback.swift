import Formats
import Secrets

extension CallbackRequest {
    /// The parameters, for a form that brings them once more; `nil` where a form would bring others.
    public var fields: [(name: String, value: String)]? {
        // A form writes line ends its own way, and what was repaired for people would come back as sound.
        let isFaithful = pairs.allSatisfy { pair in
            !["state", "code", "iss", "error"].contains(exactly: pair.name)
                || (pair.isSound && pair.value.utf8.allSatisfy { $0 >= 0x20 })
        }
        guard isFaithful, pairs.count <= 100 else { return nil }
        return pairs.map { ($0.name, $0.value) }
    }
}

extension Broker {
    /// Tells whether a callback without the flow's cookie must come once more, from a page of ours, before its state is
    /// spent: it was posted by another site's page, and such a POST brings no `SameSite=Lax` cookie
    /// (draft-ietf-httpbis-rfc6265bis § 5.6.7.2), though this may well be the browser that began the flow.
    ///
    /// Flows that nobody asks for by `assets:oauthFlow` have no cookie that could be missing.
    public func needsCookie(_ request: CallbackRequest) async -> Bool {
        guard settings.trialVerifier == nil, let state = request.state else { return false }
        let id = FlowID(of: state)
        // A store that fails here fails again when the state is claimed, and is told then.
        guard request.presentedCookie(for: id) == nil, let outcome = try? await store.outcome(of: id) else {
            return false
        }
        let flow = outcome.flow
        return outcome.status == .started && now() < flow.expiresAt && flow.redirect == request.redirect
            && flow.exchangeChallenge != nil && flow.returnURL == nil
    }
}
