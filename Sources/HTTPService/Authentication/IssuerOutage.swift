package import JOSE
import Secrets

/// An outage of the issuer of callers' tokens, for operators.
package enum IssuerOutage: Sendable {
    /// The keys could not be fetched, and the earlier ones are used.
    case staleKeys(RemoteKeySet.Fault)
    /// The keys could not be fetched, and there are no others: calls are answered 503.
    case keysMissing(RemoteKeySet.Fault)

    fileprivate enum Kind: Hashable {
        case staleKeys
        case keysMissing
    }

    fileprivate var kind: Kind {
        switch self {
        case .staleKeys: .staleKeys
        case .keysMissing: .keysMissing
        }
    }
}

/// Passes on outages of each kind once a minute: callers decide how often keys are wanted.
final class OutageNotices: Sendable {
    private static let interval: Duration = .seconds(60)

    private let now: @Sendable () -> ContinuousClock.Instant
    private let tell: @Sendable (IssuerOutage) -> Void
    private let toldAt = Locked<[IssuerOutage.Kind: ContinuousClock.Instant]>([:])

    init(now: @escaping @Sendable () -> ContinuousClock.Instant, tell: @escaping @Sendable (IssuerOutage) -> Void) {
        self.now = now
        self.tell = tell
    }

    func met(_ outage: IssuerOutage) {
        let now = now()
        let isDue = toldAt.withLock { toldAt in
            if let last = toldAt[outage.kind], now < last + Self.interval { return false }
            toldAt[outage.kind] = now
            return true
        }
        if isDue { tell(outage) }
    }
}
