import Formats
import Secrets

/// The number of refused keys that the audit trail takes: anybody can present one, and must not fill the disk with it,
/// nor keep others' refusals out. The rest is counted.
///
/// 90 days of the overall rate are 800,000 events, some 200 MB; more than that is noise that a metric tells better.
package final class RefusalBudget: Sendable {
    /// A supply that fills by one each `interval`. A number is when it will be full again (the generic cell rate
    /// algorithm), so that a full one need not be kept.
    private struct Supply {
        let most: Int
        let interval: Duration

        static let perAddress = Supply(most: 10, interval: .seconds(60))
        static let inAll = Supply(most: 100, interval: .seconds(10))

        /// The moment at which it will be full after one more is taken; `nil` where it is empty.
        func taking(_ fullAt: ContinuousClock.Instant?, at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
            let full = max(fullAt ?? now, now) + interval
            return now.duration(to: full) <= interval * most ? full : nil
        }
    }

    private static let mostAddresses = 4096
    /// Between two events that say how many were left out.
    private static let summaryInterval: Duration = .seconds(10)

    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Locked(State())

    private struct State: Sendable {
        var fullAt: ContinuousClock.Instant?
        /// By network; all whose address is unknown share one supply.
        var addressFullAt: [IPAddress?: ContinuousClock.Instant] = [:]
        var nextSummaryAt: ContinuousClock.Instant?
    }

    /// - Parameter now: a clock that nobody sets.
    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    /// Takes the place of one refusal by this address, if there is one; of many at once, no more than there are.
    package func take(for address: String?) -> Bool {
        let now = now()
        let address = address.flatMap { IPAddress($0)?.network }
        return state.withLock { state in
            guard let ofAddress = Supply.perAddress.taking(state.addressFullAt[address], at: now),
                let inAll = Supply.inAll.taking(state.fullAt, at: now)
            else { return false }
            if state.addressFullAt[address] == nil, state.addressFullAt.count >= Self.mostAddresses {
                // What is full is as good as absent. The overall supply bounds how many are not.
                state.addressFullAt = state.addressFullAt.filter { $0.value > now }
            }
            state.addressFullAt[address] = ofAddress
            state.fullAt = inAll
            return true
        }
    }

    /// Tells whether it is time for an event that says how many were left out.
    package func takeSummary() -> Bool {
        let now = now()
        return state.withLock { state in
            if let next = state.nextSummaryAt, now < next { return false }
            state.nextSummaryAt = now + Self.summaryInterval
            return true
        }
    }
}
