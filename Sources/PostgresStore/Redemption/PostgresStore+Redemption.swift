public import Broker
import Formats
public import Secrets
import StoreParts

extension PostgresStore {
    /// Every failure takes one way and one time: the same one statement. What has to be kept of it is written later.
    public func redeem(
        _ redemption: Redemption, opening open: @escaping Redemption.Opening
    ) async throws(StoreError) -> Redemption.Outcome {
        let outcome = try await writer.perform { .redeem(redemption, open, $0) }
        if case .redeemed = outcome { return outcome }
        failures.note(redemption, outcome)
        return outcome
    }

    /// Reads beside the writer; a key that is gone for another reason is not taken.
    public func isTaken(_ keyDigest: Digest) async throws(StoreError) -> Bool {
        try await reader.read { try $0.query(.isTaken, [.bytes(keyDigest.bytes)]).first != nil }
    }
}

/// The places of failed redemptions in the trail.
extension Writer: FailureLedger {
    func write(
        _ chosen: [FailedRedemptions.Failure], leftOut count: Int64, summaryAt: Timestamp?
    ) async throws(StoreError) -> [Event] {
        try await write(isEnding: true) { transaction in
            // Flows in the order of their keys, then the trail's row, as the sweep locks them.
            let flows = chosen.map { $0.placement?.flow.bytes ?? [] }
            var counts: [[UInt8]: Int64] = [:]
            var wanted: [Int] = []
            for index in chosen.indices.sorted(by: { flows[$0].lexicographicallyPrecedes(flows[$1]) }) {
                if !flows[index].isEmpty {
                    counts[flows[index], default: 0] += 1
                    // Each costs a round trip, whether there is room for it or not.
                    guard counts[flows[index], default: 0] <= FailedRedemptions.mostPerKey else { continue }
                }
                if try Self.isWanted(chosen[index], in: transaction) { wanted.append(index) }
            }
            var events = wanted.sorted().map { chosen[$0].redemption.event(chosen[$0].outcome) }
            if count > 0 { try transaction.query(.leaveOut, [.int(count)]) }
            if let summaryAt, let event = try FailedRedemptions.summary(at: summaryAt, in: transaction) {
                events.append(event)
            }
            try transaction.open()
            for event in events { transaction.record(event) }
            return events
        }
    }

    /// The count is with the flow, so that neither a restart nor another broker begins anew.
    private static func isWanted(
        _ failure: FailedRedemptions.Failure, in transaction: Transaction
    ) throws -> Bool {
        guard let placement = failure.placement else { return true }
        let parameters: [Parameter] = [.bytes(placement.flow.bytes), .int(FailedRedemptions.mostPerKey)]
        return try transaction.query(.countReuse, parameters).first != nil
    }

    func tell(_ event: WriterEvent) { observer.tell(event) }
}

extension FailedRedemptions {
    /// One event for all refusals that the budget had no room for since the last such event.
    static func summary(at now: Timestamp, in transaction: Transaction) throws -> Event? {
        guard let count = try transaction.query(.takeLeftOut).first?.int(0) else { return nil }
        return summary(of: count, at: now)
    }
}
