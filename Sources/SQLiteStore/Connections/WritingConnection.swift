import Broker
import GRDB
import GroupedWriter
import StoreParts

/// The view of the database that one operation gets within a transaction, and the state that the writer's thread alone
/// has.
struct StoreTransaction {
    let db: Database
    let trail: AuditTrail
    let outstanding: OutstandingFlows

    /// Adds an event to the audit trail.
    func record(_ event: Event) throws { try trail.append(event, to: db) }
}

/// The one connection that writes, with the end of the audit trail and the count of outstanding flows that go with it.
final class WritingConnection: GroupedConnection {
    private let queue: DatabaseQueue
    private let trail: AuditTrail
    private let outstanding: OutstandingFlows
    private let observer: StoreObserver
    private var hasToldBreach = false

    init(_ queue: DatabaseQueue, trail: AuditTrail, outstanding: OutstandingFlows, observer: StoreObserver) {
        self.queue = queue
        self.trail = trail
        self.outstanding = outstanding
        self.observer = observer
    }

    func transaction(_ body: (StoreTransaction) throws -> Void) throws {
        defer { tellBreach() }
        try queue.writeWithoutTransaction { db in
            do {
                // Waits for other processes here, not at the first write, where SQLite would give up at once.
                try db.run("BEGIN IMMEDIATE")
            } catch {
                throw TransactionFailure(error)
            }
            do {
                trail.begin()
                try body(StoreTransaction(db: db, trail: trail, outstanding: outstanding))
                try trail.finish(db)
            } catch {
                // A full disk may have ended the transaction already.
                if db.isInsideTransaction { try? db.execute(sql: "ROLLBACK") }
                // Each of the others would meet it again, one failing transaction after the other.
                if let error = error as? DatabaseError, error.isOfTheDisk { throw TransactionFailure(error) }
                throw error
            }
            do {
                try db.run("COMMIT")
                trail.committed()
            } catch {
                if db.isInsideTransaction { try? db.execute(sql: "ROLLBACK") }
                throw TransactionFailure(error)
            }
        }
    }

    /// Tells once that the audit trail is broken.
    private func tellBreach() {
        guard !hasToldBreach, let breach = trail.breach else { return }
        hasToldBreach = observer.tell(.trailBroken(sequence: breach.sequence, finding: breach.finding))
    }

    func close() {
        do { try queue.close() } catch { _ = observer.tell(.notClosed(reason: StoreFailure.reason(error))) }
    }
}

extension DatabaseError {
    /// True for failures that are no operation's own: there is no room, or the file cannot be read or written.
    fileprivate var isOfTheDisk: Bool {
        [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN].contains(resultCode)
    }
}
