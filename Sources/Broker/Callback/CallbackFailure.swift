/// A callback that gave no credentials: what its page and the flow's frontend are told, and why, which operators alone
/// are told.
public struct CallbackFailure: Error, Sendable {
    public let error: CallbackError
    public let reason: Reason
    /// The flow that the callback was for, where it came in vain and yet from the browser that began it: its page is told,
    /// and the trail has nothing of it.
    public let lost: Flow?

    init(_ error: CallbackError, _ reason: Reason, lost: Flow? = nil) {
        self.error = error
        self.reason = reason
        self.lost = lost
    }

    init(_ error: StoreError) { self.init(.store(error), error.reason) }

    init(_ error: ProviderError) { self.init(CallbackError(error), error.reason) }
}

extension CallbackRequest {
    /// A parameter that came twice where it may come once (RFC 6749 § 3.1): neither can be believed, and nothing is
    /// spent on it.
    var repetition: CallbackFailure? {
        if case .repeated = self["iss"] { return CallbackFailure(.issuerMismatch, "iss came twice") }
        for (name, reason) in [("code", "code came twice"), ("error", "error came twice")] as [(String, Reason)] {
            if case .repeated = self[name] { return CallbackFailure(.invalidCallback, reason) }
        }
        return nil
    }

    /// The failure where there is no `state`.
    var withoutState: CallbackFailure {
        switch self["state"] {
        case .absent: CallbackFailure(.invalidState, "no state came\(providersError)")
        case .repeated: CallbackFailure(.invalidState, "state came twice\(providersError)")
        case .one: CallbackFailure(.invalidState, "the state that came is none of this broker's\(providersError)")
        }
    }

    /// The store tells nobody which of these it is: whoever tries states must not learn it by the time.
    var withoutFlow: CallbackFailure {
        CallbackFailure(
            .invalidState,
            "no flow waits for this state: unknown, expired, spent, revoked, or begun for another address\(providersError)"
        )
    }

    /// The failure where the browser that began the flow came in vain.
    func lost(_ flow: Flow) -> CallbackFailure {
        CallbackFailure(
            .invalidState,
            """
            the browser that began the flow \(trusted: flow.id.description) came back too late: another one had brought its \
            callback before, such as a link scanner's, or the flow was expired or revoked\(providersError)
            """, lost: flow)
    }

    private var providersError: Reason {
        guard case .one = self["error"] else { return "" }
        return "; the provider's error is \(saidByProvider)"
    }

    /// The provider's error as it came, and what it said of it.
    var saidByProvider: Reason {
        let secrets = ["code", "state"].compactMap { name -> String? in
            if case .one(let value) = self[name] { value } else { nil }
        }
        let said = { (name: String) -> Reason? in
            if case .one(let text) = self[name] { "\(quoted: text.hiding(secrets))" } else { nil }
        }
        let description: Reason = said("error_description").map { ": \($0)" } ?? ""
        return "\(said("error") ?? "")\(description)"
    }
}
