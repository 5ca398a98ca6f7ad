import Foundation
import Secrets

/// The claims of verified tokens, by the token's digest, for a minute at most: never longer than the token, nor than the
/// keys that it was verified under.
///
/// `@unchecked Sendable`: `entries` is guarded by `lock`.
final class VerifiedTokenCache: @unchecked Sendable {
    struct Entry {
        let claims: AccessTokenClaims
        /// Of the keys that it was verified under. Where others are believed now, it counts no more.
        let generation: Int
        let verifiedAt: ContinuousClock.Instant
    }

    private let lock = NSLock()
    private var entries: [Digest: Entry] = [:]

    private static let most = 10_000
    private static let longest: Duration = .seconds(60)

    /// - Parameter now: of a clock that nobody can set.
    subscript(token: Digest, at now: ContinuousClock.Instant) -> Entry? {
        lock.withLock { entries[token] }.flatMap { now - $0.verifiedAt < Self.longest ? $0 : nil }
    }

    func keep(_ entry: Entry, _ token: Digest) {
        lock.withLock {
            // All at once, not the oldest first: no bookkeeping on the way of every request.
            if entries.count >= Self.most { entries.removeAll(keepingCapacity: true) }
            entries[token] = entry
        }
    }
}
