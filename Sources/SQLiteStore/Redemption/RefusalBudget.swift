import Glibc
import Secrets

/// The number of refused keys that the audit trail takes: anybody can present one, and must not fill the disk with it,
/// nor keep others' refusals out. The rest is counted.
///
/// 90 days of the overall rate are 800,000 events, some 200 MB; more than that is noise that a metric tells better.
final class RefusalBudget: Sendable {
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

    /// The owner of a supply: that of an IPv4 address, or of the 64 bits of an IPv6 network, within which a host picks
    /// addresses as it likes (RFC 8981 § 3.4).
    private enum Subscriber: Hashable, Sendable {
        case v4(UInt32)
        case v6(UInt64)
        /// No address of the network, or an unknown one.
        case other(String?)

        init(_ text: String?) {
            // Four and sixteen bytes, as in the packet: the system's own types for them come from several modules.
            var v4: UInt32 = 0
            var v6: UInt128 = 0
            if let text, inet_pton(AF_INET, text, &v4) == 1 {
                self = .v4(UInt32(bigEndian: v4))
            } else if let text, inet_pton(AF_INET6, text, &v6) == 1 {
                let bits = UInt128(bigEndian: v6)
                // An IPv4 address has one value whichever way it came (RFC 4291 § 2.5.5.2).
                self =
                    bits >> 32 == 0xFFFF
                    ? .v4(UInt32(truncatingIfNeeded: bits)) : .v6(UInt64(truncatingIfNeeded: bits >> 64))
            } else {
                self = .other(text)
            }
        }
    }

    private static let mostAddresses = 4096
    /// Between two events that say how many were left out.
    private static let summaryInterval: Duration = .seconds(10)

    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Locked(State())

    private struct State: Sendable {
        var fullAt: ContinuousClock.Instant?
        var addressFullAt: [Subscriber: ContinuousClock.Instant] = [:]
        var nextSummaryAt: ContinuousClock.Instant?
    }

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    /// Takes the place of one refusal by this address, if there is one; of many at once, no more than there are.
    func take(for address: String?) -> Bool {
        let now = now()
        let address = Subscriber(address)
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
    func takeSummary() -> Bool {
        let now = now()
        return state.withLock { state in
            if let next = state.nextSummaryAt, now < next { return false }
            state.nextSummaryAt = now + Self.summaryInterval
            return true
        }
    }
}
