import Secrets

/// A bucket of tokens for each key, filled at one rate. Keeps no more than a bounded number of them.
///
/// A bucket is one number: when it will be full again. Taking a token moves that on by what a token takes to come back
/// (the generic cell rate algorithm), so nothing has to be filled by the clock, and a full bucket need not be kept.
final class TokenBuckets<Key: Hashable & Sendable>: Sendable {
    /// The answer to one request.
    struct Quota: Equatable {
        /// Seconds until a token is there; `nil` where one was taken.
        var retryAfter: Int?
        var remaining: Int
        /// Seconds until the bucket is full.
        var reset: Int
    }

    private let wholeCapacity: Int
    private let perToken: Duration
    /// `nil`: this process has all of it.
    private let share: LimitShare?
    private let now: @Sendable () -> ContinuousClock.Instant
    private let most: Int
    private let buckets: Locked<Buckets>

    private struct Buckets: Sendable {
        var fullAt: [Key: ContinuousClock.Instant] = [:]
        /// The number of buckets that there may be before the full ones are looked for.
        var threshold: Int
    }

    /// - Parameters:
    ///   - most: buckets to keep, at least 2.
    ///   - share: who else gives tokens of the same rate.
    init(
        perSecond: Double, capacity: Int, most: Int = 1 << 16, share: LimitShare? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        wholeCapacity = capacity
        perToken = .seconds(1 / perSecond)
        self.share = share
        self.most = most
        self.now = now
        buckets = Locked(Buckets(threshold: min(1024, most)))
    }

    /// The tokens of a full bucket.
    var capacity: Int { Self.capacity(wholeCapacity, among: sharers) }
    /// Seconds in which an empty bucket fills.
    var window: Int {
        let sharers = sharers
        return Self.seconds(perToken * sharers * Self.capacity(wholeCapacity, among: sharers))
    }

    private var sharers: Int { share?.count ?? 1 }

    private static func capacity(_ whole: Int, among sharers: Int) -> Int { max(1, whole / sharers) }

    /// Takes a token of the key's bucket if it has one.
    func take(_ key: Key) -> Quota {
        let now = now()
        let sharers = sharers
        let (perToken, capacity) = (perToken * sharers, Self.capacity(wholeCapacity, among: sharers))
        return buckets.withLock { buckets in
            let full = max(buckets.fullAt[key] ?? now, now) + perToken
            let wait = now.duration(to: full) - perToken * capacity
            guard wait <= .zero else {
                return Quota(
                    retryAfter: Self.seconds(wait), remaining: 0, reset: Self.seconds(wait + perToken * (capacity - 1)))
            }
            if buckets.fullAt[key] == nil, buckets.fullAt.count >= buckets.threshold { shrink(&buckets, at: now) }
            buckets.fullAt[key] = full
            return Quota(
                retryAfter: nil, remaining: Int((.zero - wait) / perToken + 1e-6),
                reset: Self.seconds(now.duration(to: full)))
        }
    }

    var count: Int { buckets.withLock { $0.fullAt.count } }

    /// Forgets full buckets. Where that leaves too many, the fuller half of the others is forgotten, whose owners have
    /// taken least: forgetting a bucket gives its owner a full one.
    ///
    /// Each time, as many new buckets have come as are gone through here, so it costs a request the same on average.
    private func shrink(_ buckets: inout Buckets, at now: ContinuousClock.Instant) {
        buckets.fullAt = buckets.fullAt.filter { $0.value > now }
        if buckets.fullAt.count > most / 2 {
            let emptiest = buckets.fullAt.sorted { $0.value > $1.value }.prefix(most / 2)
            buckets.fullAt = Dictionary(uniqueKeysWithValues: emptiest.map { ($0.key, $0.value) })
        }
        buckets.threshold = min(max(1024, buckets.fullAt.count * 2), most)
    }

    /// Rounded up: never told too early.
    private static func seconds(_ duration: Duration) -> Int {
        let parts = duration.components
        // Less than a nanosecond is what dividing left over.
        return Int(parts.seconds) + (parts.attoseconds > 1_000_000_000 ? 1 : 0)
    }
}
