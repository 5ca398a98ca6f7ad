import Secrets

/// The JWK sets of many issuers, by their addresses. A flow's parameters may be part of an address, so callers decide
/// how many there are: `limit` are kept, and more only while they are being fetched.
package final class RemoteKeySets: Sendable {
    private let rules: KeySetAge.Rules
    private let now: @Sendable () -> ContinuousClock.Instant
    private let servingStale: @Sendable (_ url: String, RemoteKeySet.Fault) -> Void
    private let state = Locked(State())

    private struct State: Sendable {
        var entries: [String: (set: RemoteKeySet, lastUse: Int)] = [:]
        var uses = 0

        /// Gives up the set that was used longest ago; never one that is being fetched.
        mutating func makeRoom() {
            guard entries.count >= RemoteKeySets.limit else { return }
            let idle = entries.filter { !$0.value.set.isAsking }
            if let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) { entries[oldest.key] = nil }
        }
    }

    static let limit = 1000

    /// - Parameter servingStale: told where a request failed and the earlier keys are still believed.
    package init(
        _ rules: KeySetAge.Rules, now: @escaping @Sendable () -> ContinuousClock.Instant,
        servingStale: @escaping @Sendable (_ url: String, RemoteKeySet.Fault) -> Void = { _, _ in }
    ) {
        self.rules = rules
        self.now = now
        self.servingStale = servingStale
    }

    var count: Int { state.withLock { $0.entries.count } }

    /// The set at an address, made when it is first asked for. Fetches nothing.
    package subscript(url: String) -> RemoteKeySet {
        state.withLock { state in
            state.uses += 1
            if state.entries[url] == nil { state.makeRoom() }
            let set =
                state.entries[url]?.set
                ?? RemoteKeySet(rules, now: now) { [servingStale] in servingStale(url, $0) }
            state.entries[url] = (set: set, lastUse: state.uses)
            return set
        }
    }
}
