public import Secrets

/// Keeps what the brokers of one store must know of each other's refreshes: who asks the provider now, and for 30 s
/// what it answered.
///
/// A store sees digests and sealed values, no token. Ages are the `Moment`'s; a store that several machines share may
/// put its own clock in the place of `Moment.time`.
public protocol RefreshStore: Sendable {
    /// Gives out the lease of a refresh: of all calls for one refresh, in whatever process, exactly one gets it, and
    /// nobody else does before it ends or has not been renewed for `RefreshLease.lifetime`.
    ///
    /// - Parameter unreadable: the lease of a kept answer that does not open, and is given up.
    func beginRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, replacing unreadable: RefreshLease?, at moment: Moment
    ) async throws(StoreError) -> RefreshStart

    /// Lets a lease live on. `false`: it is not the refresh's any more, by a revocation or since another took over.
    func renewRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, at moment: Moment
    ) async throws(StoreError) -> Bool

    /// Ends a lease. `false`: it was not the refresh's any more, and nothing is kept.
    ///
    /// An answer is kept also where another lease overtook this one, by time alone, and has brought none: its holder may
    /// have slept while the provider rotated, and nobody gets an answer from it again.
    func endRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, with end: RefreshEnd, at moment: Moment
    ) async throws(StoreError) -> Bool

    /// The state of a refresh. Changes nothing, and may be asked often.
    func refreshState(of refresh: RefreshIdentity, at moment: Moment) async throws(StoreError) -> RefreshState

    /// Forgets the answers of every refresh that had to do with a token: it was sent, it is in the answer, or the answer
    /// to an earlier or later refresh of the same grant has it. A lease ends only where the token itself is sent under
    /// it: another holder of the grant may drop an old access token meanwhile.
    func forgetRefreshes(of token: Digest) async throws(StoreError)

    /// Deletes what nobody is given any more, at most `limit`. Whether some is left.
    func sweepRefreshes(at moment: Moment, limit: Int) async throws(StoreError) -> Bool
}

/// The right to ask the provider for one refresh, in all brokers of a store.
public struct RefreshLease: Hashable, Sendable {
    /// The random bytes that stand for it; no secret.
    public let bytes: [UInt8]

    /// A lease as a store kept it.
    public init(stored bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// A new lease, unlike any other.
    static func random() -> RefreshLease { RefreshLease(stored: Random.bytes(16)) }

    /// The time for which it is good unless it is renewed, in milliseconds: as long others wait for a broker that died.
    public static let lifetime: Int64 = 10_000
}

/// A failure of a refresh as brokers share it: sealed, so that a store does not see what the provider said.
public enum SharedRefreshFailure {}

/// The sealed answer of a provider, as the JSON for callers.
public enum RefreshAnswer {
    /// The time for which it is given out, in milliseconds.
    public static let lifetime: Int64 = 30_000
}

/// The outcome of a broker's wish to begin a refresh.
public enum RefreshStart: Sendable, Equatable {
    /// The lease is the caller's.
    case begun
    /// Another lease is good.
    case running(RefreshLease)
    case answered(KeptRefresh)
}

/// An answer that is kept, and the lease that it came under.
public struct KeptRefresh: Sendable, Equatable {
    /// Tells this answer from one that comes later.
    public let lease: RefreshLease
    /// Opens with the refresh token that was sent, and with nothing else.
    public let answer: Sealed<RefreshAnswer>

    /// A pair as a store kept it.
    public init(lease: RefreshLease, answer: Sealed<RefreshAnswer>) {
        self.lease = lease
        self.answer = answer
    }
}

/// The end of a lease.
public enum RefreshEnd: Sendable {
    /// - Parameter tokens: those in the answer. A revocation of any of them ends it.
    case answered(Sealed<RefreshAnswer>, tokens: [Digest])
    /// For those who wait for this lease, and for nobody who comes later.
    case failed(Sealed<SharedRefreshFailure>)
    /// Nothing that concerns others: whoever waits may begin.
    case released
}

/// The state of a refresh at a moment.
public struct RefreshState: Sendable {
    /// The state as a broker finds it that comes now.
    public enum Standing: Sendable, Equatable {
        case idle
        case running(RefreshLease)
        case answered(KeptRefresh)
    }

    /// The row at that moment: a lease or an answer that is too old counts as none.
    public let standing: Standing
    /// The last failure, and the lease that ended with it.
    public let failure: (lease: RefreshLease, sealed: Sealed<SharedRefreshFailure>)?

    /// A state as a store found it.
    public init(standing: Standing, failure: (lease: RefreshLease, sealed: Sealed<SharedRefreshFailure>)?) {
        self.standing = standing
        self.failure = failure
    }

    /// Nobody refreshes, and nothing is kept.
    public static let idle = RefreshState(standing: .idle, failure: nil)
}
