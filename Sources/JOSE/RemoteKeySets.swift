import Foundation

/// The JWK sets of many issuers, by their addresses. Parameters of a flow may be part of an address, so their number
/// is not up to us.
///
/// `@unchecked Sendable`: all that changes is guarded by `lock`.
package final class RemoteKeySets: @unchecked Sendable {
    private let rules: KeySetAge.Rules
    private let now: @Sendable () -> ContinuousClock.Instant
    private let servingStale: @Sendable (_ url: String, RemoteKeySet.Fault) -> Void
    private let lock = NSLock()
    private var entries: [String: (set: RemoteKeySet, lastUse: Int)] = [:]
    private var uses = 0

    static let limit = 1000

    /// - Parameter servingStale: told where a request failed and the keys of before are believed on.
    package init(
        _ rules: KeySetAge.Rules, now: @escaping @Sendable () -> ContinuousClock.Instant,
        servingStale: @escaping @Sendable (_ url: String, RemoteKeySet.Fault) -> Void = { _, _ in }
    ) {
        self.rules = rules
        self.now = now
        self.servingStale = servingStale
    }

    var count: Int { lock.withLock { entries.count } }

    /// The set at an address.
    package subscript(url: String) -> RemoteKeySet {
        lock.withLock {
            uses += 1
            if entries[url] == nil { makeRoom() }
            let set = entries[url]?.set ?? RemoteKeySet(rules, now: now) { [servingStale] in servingStale(url, $0) }
            entries[url] = (set: set, lastUse: uses)
            return set
        }
    }

    /// Gives up the set that was used longest ago; never one that is being fetched.
    private func makeRoom() {
        guard entries.count >= Self.limit else { return }
        let idle = entries.filter { !$0.value.set.isAsking }
        if let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) { entries[oldest.key] = nil }
    }
}
