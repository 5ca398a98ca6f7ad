import Broker
import GRDB
import GroupedWriter
import StoreParts

/// The one way to change the database: one thread, one connection, one commit for all who wait.
struct Writer: Sendable {
    private let grouped: GroupedWriter<WritingConnection>
    private let observer: StoreObserver

    /// - Parameter mostWaiting: the operations that may wait. More would wait for some tenth of a second; further ones
    ///   had better be refused.
    init(_ connection: sending WritingConnection, observer: StoreObserver, mostWaiting: Int = 8192) {
        self.observer = observer
        grouped = GroupedWriter(connection, thread: "cloakroom-store", mostWaiting: mostWaiting) {
            switch $0 {
            case .committed(let operations, let duration):
                observer.tell(.committed(operations: operations, duration: duration))
            case .failed: observer.tell(.failed)
            case .refused: observer.tell(.refused)
            }
        }
    }

    /// Runs `body` in a transaction and returns when it is on the disk.
    ///
    /// `body` may run more than once, so it must have no effect outside the transaction.
    ///
    /// - Parameter isEnding: the write ends something that an earlier one began, and is taken however many wait.
    func write<Result: Sendable>(
        isEnding: Bool = false, _ body: @escaping @Sendable (StoreTransaction) throws -> Result
    ) async throws(StoreError) -> Result {
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

    func tell(_ event: WriterEvent) { observer.tell(event) }

    func observe(_ listener: @escaping @Sendable (WriterEvent) -> Void) { observer.listen(listener) }

    /// Lets what waits finish, closes the database and ends the thread.
    func close() async { await grouped.close() }
}
