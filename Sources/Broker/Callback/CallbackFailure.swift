/// A callback that gave no credentials: what its page and the flow's frontend are told, and why, which operators alone
/// are told.
public struct CallbackFailure: Error, Sendable {
    public let error: CallbackError
    public let reason: Reason

    init(_ error: CallbackError, _ reason: Reason) {
        self.error = error
        self.reason = reason
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
        case .one, .garbled:
            CallbackFailure(.invalidState, "the state that came is none of this broker's\(providersError)")
        }
    }

    /// The store tells nobody which of these it is: whoever tries states must not learn it by the time.
    var withoutFlow: CallbackFailure {
        CallbackFailure(
            .invalidState,
            "no flow waits for this state: unknown, expired, spent, revoked, or begun for another address\(providersError)"
        )
    }

    private var providersError: Reason {
        error(to: nil).map { "; the provider's error is \(said($0))" } ?? ""
    }
}
