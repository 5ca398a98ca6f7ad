import Broker
import Foundation
import GRDB

/// The one thread that uses the database. It takes all operations that wait, runs them in one transaction,
/// commits once, and only then lets their callers go on: under load they share the cost of a commit.
///
/// `@unchecked Sendable`: the variables are guarded by `condition`; the rest never changes.
final class Writer: @unchecked Sendable {
    /// More than this in one transaction gains nothing and delays the first.
    private static let mostInOneCommit = 128
    /// Microseconds to wait for company.
    private static let gathering: UInt32 = 300
    /// More than this waits for some tenth of a second; what comes then is better told to come later.
    static let mostWaiting = 8192

    private let queue: DatabaseQueue
    private let trail: AuditTrail
    private let mostWaiting: Int
    private let condition = NSCondition()
    private var waiting: [any Operation] = []
    private var lastCount = 0
    private var isClosed = false
    private var hasEnded = false
    private var whenEnded: [CheckedContinuation<Void, Never>] = []
    private var observer: (@Sendable (WriterEvent) -> Void)?
    private var toldBreach: Breach?

    init(_ queue: DatabaseQueue, _ trail: AuditTrail, mostWaiting: Int = mostWaiting) {
        self.queue = queue
        self.trail = trail
        self.mostWaiting = mostWaiting
        let thread = Thread { [self] in run() }
        thread.name = "cloakroom-store"
        thread.start()
    }

    /// Runs `body` in a transaction and returns when it is on the disk.
    ///
    /// `body` may run more than once (its transaction may be rolled back for another's failure), so it must have no
    /// effect outside the database.
    ///
    /// - Parameter isEnding: the write ends something that an earlier one began, and is taken however many wait: their
    ///   number is bounded by what was begun.
    func write<Result: Sendable>(
        isEnding: Bool = false, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(StoreError) -> Result {
        let outcome: Swift.Result<Result, StoreError> = await withCheckedContinuation { continuation in
            let operation = Write(body, continuation)
            condition.lock()
            var refusal: StoreError? = isClosed ? .closed : nil
            if refusal == nil, !isEnding, waiting.count >= mostWaiting {
                refusal = .unavailable("too many operations wait")
            }
            if refusal == nil {
                waiting.append(operation)
                if waiting.count == 1 { condition.signal() }
            }
            let observer = observer
            condition.unlock()
            if let refusal {
                if refusal != .closed { observer?(.refused) }
                operation.finish(refusal)
            }
        }
        return try outcome.get()
    }

    func observe(_ observer: @escaping @Sendable (WriterEvent) -> Void) {
        condition.lock()
        self.observer = observer
        condition.unlock()
    }

    var waitingCount: Int {
        condition.lock()
        defer { condition.unlock() }
        return waiting.count
    }

    func tell(_ event: WriterEvent) {
        condition.lock()
        let observer = observer
        condition.unlock()
        observer?(event)
    }

    /// Tells once that the audit trail is broken. On the writer's thread, as `trail` is its own.
    private func tellBreach() {
        guard let breach = trail.breach else { return }
        condition.lock()
        let isNews = toldBreach == nil && observer != nil
        if isNews { toldBreach = breach }
        condition.unlock()
        if isNews { tell(.trailBroken(sequence: breach.sequence, finding: breach.finding)) }
    }

    /// Lets what waits finish, closes the database and ends the thread.
    func close() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            isClosed = true
            if hasEnded { continuation.resume() } else { whenEnded.append(continuation) }
            condition.signal()
            condition.unlock()
        }
    }

    private func run() {
        while let batch = next() {
            commit(batch)
            tellBreach()
        }
        do { try queue.close() } catch { tell(.notClosed(reason: StoreFailure.reason(error))) }
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
    private func next() -> [any Operation]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        if lastCount > 1, waiting.count < Self.mostInOneCommit, !isClosed {
            condition.unlock()
            // By the monotonic clock: a clock that is set back must not make anyone wait.
            usleep(Self.gathering)
            condition.lock()
        }
        let count = min(waiting.count, Self.mostInOneCommit)
        lastCount = count
        guard count < waiting.count else {
            defer { waiting.removeAll(keepingCapacity: true) }
            return waiting
        }
        let batch = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        return batch
    }

    private func commit(_ batch: [any Operation]) {
        let began = ContinuousClock.now
        do {
            try transaction { db in for operation in batch { try operation.run(db) } }
            tell(.committed(operations: batch.count, duration: ContinuousClock.now - began))
            for operation in batch { operation.finish(nil) }
        } catch let failure as TransactionFailure {
            tell(.failed)
            // The lock, the disk: nothing that one operation could have caused, so all would meet it again.
            for operation in batch { operation.finish(.unavailable(failure.reason)) }
        } catch {
            guard batch.count > 1 else {
                tell(.failed)
                batch.first?.finish(.unavailable(StoreFailure.reason(error)))
                return
            }
            // One failed and took the others back with it. Each gets a transaction of its own, so that only the
            // one with the fault fails.
            for operation in batch { commit([operation]) }
        }
    }

    private struct TransactionFailure: Error {
        let reason: String

        init(_ error: any Error) { reason = StoreFailure.reason(error) }
    }

    private func transaction(_ body: (Database) throws -> Void) throws {
        try queue.writeWithoutTransaction { db in
            do {
                // Waits for other processes here, not at the first write, where SQLite would give up at once.
                try db.run("BEGIN IMMEDIATE")
            } catch {
                throw TransactionFailure(error)
            }
            do {
                trail.begin()
                try body(db)
                try trail.finish(db)
            } catch {
                // A full disk may have ended the transaction already.
                if db.isInsideTransaction { try? db.execute(sql: "ROLLBACK") }
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
}

private protocol Operation: AnyObject {
    func run(_ db: Database) throws
    func finish(_ error: StoreError?)
}

/// One caller's work and the way back to it. Only the writer's thread touches it after it was handed over.
private final class Write<Result: Sendable>: Operation {
    private let body: @Sendable (Database) throws -> Result
    private let continuation: CheckedContinuation<Swift.Result<Result, StoreError>, Never>
    private var result: Result?

    init(
        _ body: @escaping @Sendable (Database) throws -> Result,
        _ continuation: CheckedContinuation<Swift.Result<Result, StoreError>, Never>
    ) {
        self.body = body
        self.continuation = continuation
    }

    func run(_ db: Database) throws {
        result = try body(db)
    }

    func finish(_ error: StoreError?) {
        if let error {
            continuation.resume(returning: .failure(error))
        } else if let result {
            continuation.resume(returning: .success(result))
        } else {
            continuation.resume(returning: .failure(.closed))
        }
    }
}
