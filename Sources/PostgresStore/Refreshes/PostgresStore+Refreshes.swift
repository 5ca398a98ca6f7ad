public import Broker
import Catalog
import Formats
public import Secrets

/// The refreshes that the brokers of one database share. Ages between machines are the server's clock's: theirs differ.
extension PostgresStore {
    /// Gives the lease in one transaction with the look at the row.
    public func beginRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, replacing unreadable: RefreshLease?, at moment: Moment
    ) async throws(StoreError) -> RefreshStart {
        try await writer.write { transaction in
            let id = Parameter.bytes(refresh.digest.bytes)
            try transaction.query(.lockRefresh, [id])
            switch try transaction.query(.refresh, [id]).first.map(RefreshRow.init)?.state(at: moment).standing {
            case .answered(let kept)? where kept.lease != unreadable: return .answered(kept)
            case .running(let other)?: return .running(other)
            case .answered?, .idle?, nil: break
            }
            try transaction.query(
                .beginRefresh,
                [
                    id, .text(refresh.tenant.description), .text(refresh.sourceType.description), .bytes(lease.bytes),
                    .bytes(moment.machine.bytes), .int(moment.uptime),
                ])
            try transaction.query(.unlink, [id])
            try transaction.query(.link, [.byteses([refresh.token.bytes]), id])
            return .begun
        }
    }

    /// Moves the lease's end, where it is still this one.
    public func renewRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, at moment: Moment
    ) async throws(StoreError) -> Bool {
        try await writer.write(isEnding: true) { transaction in
            let parameters: [Parameter] = [
                .bytes(moment.machine.bytes), .int(moment.uptime), .bytes(refresh.digest.bytes), .bytes(lease.bytes),
            ]
            return try transaction.query(.renewRefresh, parameters).first != nil
        }
    }

    /// Replaces the lease by the answer or the failure, where it is still this one. An answer is taken too where another
    /// lease overtook it, unless that brought one already; what is revoked has no row.
    public func endRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, with end: RefreshEnd, at moment: Moment
    ) async throws(StoreError) -> Bool {
        var (answer, failed, failure, tokens): ([UInt8]?, [UInt8]?, [UInt8]?, [Digest]) = (nil, nil, nil, [])
        switch end {
        case .answered(let sealed, let itsTokens): (answer, tokens) = (sealed.bytes, itsTokens)
        case .failed(let sealed): (failed, failure) = (lease.bytes, sealed.bytes)
        case .released: break
        }
        return try await writer.write(isEnding: true) { [answer, failed, failure, tokens] transaction in
            let id = Parameter.bytes(refresh.digest.bytes)
            let parameters: [Parameter] = [
                .bytes(answer), .bytes(failed), .bytes(failure), .bytes(moment.machine.bytes), .int(moment.uptime), id,
                .bytes(lease.bytes),
            ]
            guard try transaction.query(.endRefresh, parameters).first != nil else { return false }
            if !tokens.isEmpty { try transaction.query(.link, [.byteses(tokens.map(\.bytes)), id]) }
            return true
        }
    }

    /// Reads beside the writer.
    public func refreshState(of refresh: RefreshIdentity, at moment: Moment) async throws(StoreError) -> RefreshState {
        try await reader.read { connection in
            try connection.query(.refresh, [.bytes(refresh.digest.bytes)]).first.map(RefreshRow.init)?
                .state(at: moment) ?? .idle
        }
    }

    /// Follows the tokens from row to row, and deletes the rows, in one transaction.
    public func forgetRefreshes(of token: Digest) async throws(StoreError) {
        try await writer.write(isEnding: true) { transaction in
            _ = try transaction.query(.forgetRefreshes, [.bytes(token.bytes)])
        }
    }

    /// Deletes rows that nobody is given any more.
    public func sweepRefreshes(at moment: Moment, limit: Int) async throws(StoreError) -> Bool {
        try await writer.write { transaction in
            let parameters: [Parameter] = [
                .bytes(moment.machine.bytes), .int(moment.uptime), .int(RefreshAnswer.lifetime - 1), .int(Int64(limit)),
            ]
            return try transaction.query(.sweepRefreshes, parameters).count >= limit
        }
    }
}

/// A refresh as a row.
private struct RefreshRow {
    private let lease: RefreshLease
    private let isRunning: Bool
    private let answer: Sealed<RefreshAnswer>?
    private let failure: (RefreshLease, Sealed<SharedRefreshFailure>)?
    /// The machine on which its lease was given out or renewed last, or ended, and that machine's uptime then.
    private let machine: [UInt8]
    private let uptime: Int64
    /// The time since then, by the server's clock.
    private let elapsed: Int64

    init(_ row: QueryResult.Row) {
        lease = RefreshLease(stored: row.bytes(RefreshColumn.lease))
        isRunning = row.bool(RefreshColumn.isRunning)
        answer = row.bytesIfAny(RefreshColumn.answer).map { Sealed(stored: $0) }
        if let lease = row.bytesIfAny(RefreshColumn.failedLease), let sealed = row.bytesIfAny(RefreshColumn.failure) {
            failure = (RefreshLease(stored: lease), Sealed(stored: sealed))
        } else {
            failure = nil
        }
        machine = row.bytes(RefreshColumn.machine)
        uptime = row.int(RefreshColumn.uptime)
        elapsed = row.int(RefreshColumn.elapsed)
    }

    func state(at now: Moment) -> RefreshState { RefreshState(standing: standing(at: now), failure: failure) }

    private func standing(at now: Moment) -> RefreshState.Standing {
        if let answer, isWithin(RefreshAnswer.lifetime, now) {
            return .answered(KeptRefresh(lease: lease, answer: answer))
        }
        return isRunning && isWithin(RefreshLease.lifetime, now) ? .running(lease) : .idle
    }

    /// On one machine by its uptime, which no clock has a say in. Else by the server's clock: where that was set back,
    /// the time is over.
    private func isWithin(_ milliseconds: Int64, _ now: Moment) -> Bool {
        if now.machine.bytes == machine { return now.uptime - uptime < milliseconds }
        return (0..<milliseconds).contains(elapsed)
    }
}
