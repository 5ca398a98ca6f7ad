public import Foundation

/// The one thread that writes to a database. It takes all operations that wait, runs them in one transaction, commits
/// once, and only then lets their callers go on: under load they share the cost of a commit.
///
/// All of it is inlinable, so that each store has its own specialised code: it is on the way of every request. It is
/// `@usableFromInline` for the reason that `Locked` gives.
///
/// `@unchecked Sendable`: `condition` guards the variables; `connection` is used by the writer's thread alone, which
/// takes it over from its maker; the rest never changes.
@usableFromInline
package final class GroupedWriter<Connection: GroupedConnection>: @unchecked Sendable {
    @usableFromInline typealias Operation = any GroupedOperation<Connection.Transaction>

    /// More than this in one transaction gains nothing and delays the first.
    @usableFromInline let mostInOneCommit = 128
    @usableFromInline let commitDelayMicroseconds: UInt32 = 300

    @usableFromInline let connection: Connection
    @usableFromInline let mostWaiting: Int
    @usableFromInline let observe: @Sendable (GroupedWriterEvent) -> Void
    @usableFromInline let condition = NSCondition()
    @usableFromInline var waiting: [Operation] = []
    @usableFromInline var lastCount = 0
    @usableFromInline var isClosed = false
    @usableFromInline var hasEnded = false
    @usableFromInline var whenEnded: [CheckedContinuation<Void, Never>] = []

    /// Takes `connection` over and starts the thread.
    ///
    /// - Parameters:
    ///   - thread: the thread's name; at most 15 bytes.
    ///   - mostWaiting: the operations that may wait; further ones are refused.
    ///   - observe: told what the writer does, on its thread or a caller's while requests wait: must not block.
    @inlinable
    package init(
        _ connection: sending Connection, thread name: String, mostWaiting: Int,
        observe: @escaping @Sendable (GroupedWriterEvent) -> Void = { _ in }
    ) {
        self.connection = connection
        self.mostWaiting = mostWaiting
        self.observe = observe
        Thread.detachNewThread { [self] in
            // By the thread itself: the name of a `Thread` that has not started reaches no tool that shows threads.
            Thread.current.name = name
            run()
        }
    }

    /// Runs `body` in a transaction and returns when it is on the disk.
    ///
    /// `body` may run more than once, since its transaction may be rolled back for another's failure, so it must have
    /// no effect outside the transaction. Throws `.closed`, `.overloaded`, or `.failed` with the error of `body` or of
    /// the transaction.
    ///
    /// - Parameter isEnding: the write ends something that an earlier one began, and is taken however many wait: their
    ///   number is bounded by what was begun.
    @inlinable
    package func write<Result: Sendable>(
        isEnding: Bool = false, _ body: @escaping @Sendable (Connection.Transaction) throws -> Result
    ) async throws(GroupedWriterError) -> Result {
        let outcome: Swift.Result<Result, GroupedWriterError> = await withCheckedContinuation { continuation in
            let operation = Write(body, resuming: continuation)
            if let refusal = add(operation, isEnding: isEnding) { operation.finish(refusal) }
        }
        return try outcome.get()
    }

    /// Has the operation wait for the next commit, or tells why it may not.
    @inlinable
    func add(_ operation: Operation, isEnding: Bool) -> GroupedWriterError? {
        condition.lock()
        guard !isClosed else {
            condition.unlock()
            return .closed
        }
        guard isEnding || waiting.count < mostWaiting else {
            condition.unlock()
            observe(.refused)
            return .overloaded
        }
        waiting.append(operation)
        if waiting.count == 1 { condition.signal() }
        condition.unlock()
        return nil
    }

    /// The number of operations that wait for their commit.
    package var waitingCount: Int {
        condition.lock()
        defer { condition.unlock() }
        return waiting.count
    }

    /// Lets what waits finish, closes the connection and ends the thread. Returns after that, also when called again.
    package func close() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            isClosed = true
            if hasEnded { continuation.resume() } else { whenEnded.append(continuation) }
            condition.signal()
            condition.unlock()
        }
    }

    // MARK: the thread

    @inlinable
    func run() {
        while let batch = next() { commit(batch) }
        connection.close()
        condition.lock()
        hasEnded = true
        let waiting = whenEnded
        whenEnded = []
        condition.unlock()
        for continuation in waiting { continuation.resume() }
    }

    /// The operations for the next commit; `nil` when closed.
    ///
    /// Where the last commit had company, this waits a moment for as many again: a commit costs the same for one as
    /// for a hundred, and disks have become too fast to fill a batch while the last one is written. Callers that come
    /// one by one wait for nothing.
    @inlinable
    func next() -> [Operation]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        if lastCount > 1, waiting.count < mostInOneCommit, !isClosed {
            condition.unlock()
            // By the monotonic clock: a clock that is set back must not make anyone wait.
            usleep(commitDelayMicroseconds)
            condition.lock()
        }
        let count = min(waiting.count, mostInOneCommit)
        lastCount = count
        guard count < waiting.count else {
            defer { waiting.removeAll(keepingCapacity: true) }
            return waiting
        }
        let batch = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        return batch
    }

    @inlinable
    func commit(_ batch: [Operation]) {
        let began = ContinuousClock.now
        do {
            try connection.transaction { transaction in
                for operation in batch { try operation.run(transaction) }
            }
            observe(.committed(operations: batch.count, duration: ContinuousClock.now - began))
            for operation in batch { operation.finish(nil) }
        } catch let failure as TransactionFailure {
            observe(.failed)
            for operation in batch { operation.finish(.failed(failure.cause)) }
        } catch {
            guard batch.count > 1 else {
                observe(.failed)
                batch.first?.finish(.failed(error))
                return
            }
            // One failed and took the others back with it. Each gets a transaction of its own, so that only the
            // one with the fault fails.
            for operation in batch { commit([operation]) }
        }
    }
}
