import Secrets

/// The claims of verified tokens, by the token's digest, for a minute at most: never longer than the token, nor than
/// the keys that it was verified under.
final class VerifiedTokenCache: Sendable {
    struct Entry: Sendable {
        let claims: AccessTokenClaims
        /// The number of the keys that it was verified under. Where others are believed now, the entry does not count.
        let generation: Int
        let verifiedAt: ContinuousClock.Instant
    }

    private let entries = Locked<[Digest: Entry]>([:])

    private static let limit = 10_000
    private static let longestAge: Duration = .seconds(60)

    /// - Parameter now: of a monotonic clock.
    subscript(token: Digest, at now: ContinuousClock.Instant) -> Entry? {
        entries.withLock { $0[token] }.flatMap { now - $0.verifiedAt < Self.longestAge ? $0 : nil }
    }

    func keep(_ entry: Entry, for token: Digest) {
        entries.withLock { entries in
            // All at once, not the oldest first: no bookkeeping on the way of every request.
            if entries.count >= Self.limit { entries.removeAll(keepingCapacity: true) }
            entries[token] = entry
        }
    }
}
