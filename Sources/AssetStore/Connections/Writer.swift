import Assets
import GRDB
import GroupedWriter

/// An event in the store's work. Told while requests wait: an observer must not block.
public enum StoreEvent: Sendable {
    /// So many operations shared a commit, which took this long.
    case committed(operations: Int, duration: Duration)
    /// A transaction failed and was rolled back.
    case failed
    /// An operation was refused since too many waited.
    case refused
    /// The database was not closed as it should be.
    case notClosed(reason: String)
}

/// The one way to change the database: one thread, one connection, one commit for all who wait.
struct Writer: Sendable {
    private let grouped: GroupedWriter<WritingConnection>

    /// - Parameter mostWaiting: the operations that may wait; further ones had better be refused.
    init(
        _ connection: sending WritingConnection, mostWaiting: Int = 8192,
        observe: @escaping @Sendable (StoreEvent) -> Void
    ) {
        grouped = GroupedWriter(connection, thread: "assets-store", mostWaiting: mostWaiting) {
            switch $0 {
            case .committed(let operations, let duration):
                observe(.committed(operations: operations, duration: duration))
            case .failed: observe(.failed)
            case .refused: observe(.refused)
            }
        }
    }

    /// Runs `body` in a transaction and returns when it is on the disk.
    ///
    /// `body` may run more than once, so it must have no effect outside the transaction.
    ///
    /// - Parameter isEnding: the write ends something that an earlier one began, and is taken however many wait.
    func write<Result: Sendable>(
        isEnding: Bool = false, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(AssetStoreError) -> Result {
        do {
            return try await grouped.write(isEnding: isEnding, body)
        } catch {
            switch error {
            case .closed: throw .closed
            case .overloaded: throw .unavailable("too many operations wait")
            case .failed(let cause): throw .unavailable(StoreFailure.reason(cause))
            }
        }
    }

    var waitingCount: Int { grouped.waitingCount }

    /// Lets what waits finish, closes the database and ends the thread.
    func close() async { await grouped.close() }
}

/// The one connection that writes.
final class WritingConnection: GroupedConnection {
    private let queue: DatabaseQueue
    private let observe: @Sendable (StoreEvent) -> Void

    init(_ queue: DatabaseQueue, observe: @escaping @Sendable (StoreEvent) -> Void) {
        self.queue = queue
        self.observe = observe
    }

    func transaction(_ body: (Database) throws -> Void) throws {
        try queue.writeWithoutTransaction { db in
            do { try db.run("BEGIN IMMEDIATE") } catch { throw TransactionFailure(error) }
            do {
                try body(db)
            } catch {
                // A full disk may have ended the transaction already.
                if db.isInsideTransaction { try? db.execute(sql: "ROLLBACK") }
                // Each of the others would meet it again, one failing transaction after the other.
                if let error = error as? DatabaseError, error.isOfTheDisk { throw TransactionFailure(error) }
                throw error
            }
            do {
                try db.run("COMMIT")
            } catch {
                if db.isInsideTransaction { try? db.execute(sql: "ROLLBACK") }
                throw TransactionFailure(error)
            }
        }
    }

    func close() {
        do { try queue.close() } catch { observe(.notClosed(reason: StoreFailure.reason(error))) }
    }
}

extension DatabaseError {
    /// True for failures that are no operation's own: there is no room, or the file cannot be read or written.
    fileprivate var isOfTheDisk: Bool {
        [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN].contains(resultCode)
    }
}
