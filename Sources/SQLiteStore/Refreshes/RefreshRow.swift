import Broker
import Formats
import GRDB
import Secrets

/// A refresh as a row.
struct RefreshRow {
    private let lease: RefreshLease
    private let isRunning: Bool
    private let answer: Sealed<RefreshAnswer>?
    private let failure: (RefreshLease, Sealed<SharedRefreshFailure>)?
    /// The moment at which its lease was given out or renewed last, or ended.
    private let moment: Moment?

    private enum Column: Int32, Columns {
        case lease, isRunning, answer, failedLease, failure, machine, uptime, time
    }

    private static let select = "SELECT \(Column.list) FROM refreshes WHERE id = ?"

    static func find(_ refresh: RefreshIdentity, in db: Database) throws -> RefreshRow? {
        try db.first(select, .blob(refresh.digest.bytes), read: RefreshRow.init)
    }

    private init(_ row: SQLRow) {
        lease = RefreshLease(stored: row.blob(Column.lease))
        isRunning = row.integer(Column.isRunning) != 0
        answer = row.blobIfAny(Column.answer).map { Sealed(stored: $0) }
        if let lease = row.blobIfAny(Column.failedLease), let sealed = row.blobIfAny(Column.failure) {
            failure = (RefreshLease(stored: lease), Sealed(stored: sealed))
        } else {
            failure = nil
        }
        moment = Digest(stored: row.blob(Column.machine)).map {
            Moment(
                time: Timestamp(milliseconds: row.integer(Column.time)), machine: $0,
                uptime: row.integer(Column.uptime))
        }
    }

    func state(at now: Moment) -> RefreshState {
        RefreshState(standing: standing(at: now), failure: failure)
    }

    private func standing(at now: Moment) -> RefreshState.Standing {
        guard let moment else { return .idle }
        if let answer, now.isWithin(RefreshAnswer.lifetime, of: moment) {
            return .answered(KeptRefresh(lease: lease, answer: answer))
        }
        return isRunning && now.isWithin(RefreshLease.lifetime, of: moment) ? .running(lease) : .idle
    }
}
