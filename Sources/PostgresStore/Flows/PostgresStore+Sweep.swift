public import Broker
import Catalog
public import Formats
import Secrets
import StoreParts

extension PostgresStore {
    /// One transaction, by one broker at a time: another that comes meanwhile has nothing to do. Also forgets revocations
    /// that no flow can fall under any more, old events, and keeps the anchor of all chains.
    public func sweep(
        at now: Timestamp, eventsSince: Timestamp, limit: Int
    ) async throws(StoreError) -> (events: [Event], isUnfinished: Bool) {
        do throws(StoreError) {
            return try await sweepAtOnce(at: now, eventsSince: eventsSince, limit: limit)
        } catch {
            // A look at everything that took too long is not the next one's too, nor of all that follow.
            try? await writer.write { transaction in
                _ = try transaction.query(.noteWhole, [.int(now.milliseconds)])
            }
            throw error
        }
    }

    private func sweepAtOnce(
        at now: Timestamp, eventsSince: Timestamp, limit: Int
    ) async throws(StoreError) -> (events: [Event], isUnfinished: Bool) {
        let (swept, leftOut) = try await writer.write { transaction in
            var sweep = Sweep(transaction: transaction, now: now.milliseconds, limit: Int64(limit))
            guard try transaction.query(.sweepTurn).first?.int(0) == 1 else {
                return ((events: [] as [Event], isUnfinished: false), nil as Event?)
            }
            try sweep.begin()
            var events = try sweep.credentialKeys()
            events += try sweep.flows()
            for event in events { transaction.record(event) }
            let leftOut = try FailedRedemptions.summary(at: now, in: transaction)
            if let leftOut { transaction.record(leftOut) }
            try sweep.forget(eventsSince: eventsSince.milliseconds)
            try sweep.end()
            return ((events: events, isUnfinished: sweep.isUnfinished), leftOut)
        }
        if let leftOut { writer.tell(.recorded(leftOut)) }
        return swept
    }
}

/// One sweep, in its transaction.
private struct Sweep {
    let transaction: Transaction
    let now: Int64
    let limit: Int64
    private(set) var isUnfinished = false
    private var flowsFrom: Int64 = 0
    private var keysFrom: Int64 = 0
    private var wholeAt: Int64 = 0

    /// Rows that came by a clock that is behind are met all the same.
    private static let margin: Int64 = 60_000
    /// Once in so long everything is looked at, wherever clocks have been.
    private static let wholeInterval: Int64 = 3_600_000

    init(transaction: Transaction, now: Int64, limit: Int64) {
        self.transaction = transaction
        self.now = now
        self.limit = limit
    }

    mutating func begin() throws {
        guard let row = try transaction.query(.sweepMarks).first else { throw PostgresFailure.malformed }
        wholeAt = row.int(Statement.SweepMarks.wholeAt)
        // A clock that was set back begins anew too.
        guard (0..<Self.wholeInterval).contains(now - wholeAt), row.int(Statement.SweepMarks.sweptAt) <= now else {
            wholeAt = now
            return
        }
        flowsFrom = row.int(Statement.SweepMarks.flowsFrom)
        keysFrom = row.int(Statement.SweepMarks.keysFrom)
    }

    mutating func credentialKeys() throws -> [Event] {
        let rows = try transaction.query(.sweepKeys, [.int(now), .int(keysFrom), .int(limit)]).rows
        keysFrom = moved(keysFrom, to: now, rows.count)
        guard !rows.isEmpty else { return [] }
        let flows = rows.map { $0.bytes(0) }.sorted { $0.lexicographicallyPrecedes($1) }
        try transaction.query(.forgetSealedKeys, [.byteses(flows)])
        return rows.map { event(.credentialKeyExpired, $0) }
    }

    mutating func flows() throws -> [Event] {
        let until = now - PostgresStore.exchangeGraceMilliseconds
        let rows = try transaction.query(.sweepFlows, [.int(until), .int(flowsFrom), .int(limit)]).rows
        flowsFrom = moved(flowsFrom, to: until, rows.count)
        return rows.map { event(.flowFailed, $0, code: FlowRow.expired) }
    }

    /// The place where the next sweep begins: the same unless all was met.
    private mutating func moved(_ from: Int64, to end: Int64, _ count: Int) -> Int64 {
        guard count < limit else {
            isUnfinished = true
            return from
        }
        return max(from, end - Self.margin)
    }

    // What cannot be read is left out of the event.
    private func event(_ kind: Event.Kind, _ row: QueryResult.Row, code: String? = nil) -> Event {
        Event(
            kind, at: Timestamp(milliseconds: now), tenant: TenantID(row.text(1)),
            sourceType: SourceType.ID(row.text(2)),
            flow: FlowID(bytes: row.bytes(0)), code: code)
    }

    /// Of each a day after it cannot matter any more.
    mutating func forget(eventsSince: Int64) throws {
        let old = now - PostgresStore.retentionMilliseconds
        let flows = try transaction.query(
            .forgetFlows, [.int(old - PostgresStore.exchangeGraceMilliseconds), .int(old), .int(limit)]
        ).changes
        let keys = try transaction.query(.forgetKeys, [.int(old), .int(limit)]).changes
        // A week beyond the longest that a flow lives, so that their table is not read through in vain.
        try transaction.query(.forgetRevocations, [.int(old - 7 * 86_400_000)])
        if Int64(flows) == limit || Int64(keys) == limit { isUnfinished = true }
        try forgetEvents(before: eventsSince)
    }

    /// Deletes the oldest events of each chain, after a look at each. A chain that does not fit stays as it is.
    private mutating func forgetEvents(before time: Int64) throws {
        var left = limit
        var chain: Int64 = 0
        while left > 0 {
            let found = try transaction.query(.chainToForget, [.int(time), .int(chain)])
            guard let row = found.first else { return }
            chain = row.int(ChainColumn.chain)
            left -= try transaction.forgetEvents(of: row, before: time, limit: left)
        }
        isUnfinished = true
    }

    func end() throws {
        try transaction.anchorChains()
        try transaction.query(
            .keepSweepMarks, [.int(flowsFrom), .int(keysFrom), .int(now), .int(wholeAt)])
    }
}
