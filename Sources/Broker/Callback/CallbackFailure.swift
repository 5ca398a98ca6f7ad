import Formats
import Secrets

/// The failure of a callback: `error` for its page and the flow's frontend, `reason` for operators alone.
public struct CallbackFailure: Error, Sendable {
    /// The part that the browser and the frontend may see.
    public let error: CallbackError
    /// The part for the audit trail and the log.
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
    /// The failure where a parameter came twice that may come once (RFC 6749 § 3.1): neither value can be trusted, and
    /// the state is not spent.
    var repetition: CallbackFailure? {
        if case .repeated = self["iss"] { return CallbackFailure(.issuerMismatch, "iss came twice") }
        for (name, reason) in [("code", "code came twice"), ("error", "error came twice")] as [(String, Reason)] {
            if case .repeated = self[name] { return CallbackFailure(.invalidCallback, reason) }
        }
        return Self.repeatsCode(pairs.lazy.map(\.name)) ? CallbackFailure(.invalidCallback, "a code came twice") : nil
    }

    /// Tells whether one of the names comes twice that may be an entry's own for the code: the flow's entry is not known
    /// yet. Takes each name once, since a stranger's form has thousands.
    static func repeatsCode(_ names: some Sequence<String>) -> Bool {
        var met: Set<[UInt8]> = []
        return names.contains { mayHoldCode($0) && !met.insert(Array($0.utf8)).inserted }
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

    /// The failure where the store has no flow to claim. It does not tell which of these it is, so that nobody who
    /// tries states learns it by the time.
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
        error(to: nil).map { "; the provider's error is \(said($0, hiding: hidden))" } ?? ""
    }
}
