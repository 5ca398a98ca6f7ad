import Broker
import Formats
import Foundation
import Secrets
import StoreParts

/// The one way to change the database: one thread, one connection, one commit for all who wait.
///
/// `@unchecked Sendable`: `condition` guards `waiting` and what stands with it; `session`, `chain` and `outstanding` are
/// the thread's alone; the rest never changes.
final class Writer: @unchecked Sendable {
    private static let mostInOneCommit = 128
    private static let commitDelayMicroseconds: UInt32 = 300
    /// The time within which an operation begins its last try: whoever waits longer is told that it did not happen.
    private static let patience: Duration = .seconds(4)
    private static let mostTries = 8
    /// Whoever began a flow or redeems has given up by then: what came of it would reach nobody.
    private static let longestWait: Duration = .seconds(10)

    private let settings: PostgresSettings
    private let key: SecretBytes
    private let ring: KeyRing
    let observer: StoreObserver
    private let mostWaiting: Int

    private let condition = NSCondition()
    private var waiting: [(operation: Operation, since: ContinuousClock.Instant)] = []
    private var isClosed = false
    private var hasEnded = false
    private var whenEnded: [CheckedContinuation<Void, Never>] = []

    private var lastCount = 0
    private var session: Session?
    private var chain: Chain?
    private let outstanding: OutstandingFlows
    private var hasToldBreach = false
    /// What another broker had found before this one began, in a chain that is not this one's.
    private let foundBreach: Breach?
    /// No try to connect is made before it.
    private var retryAt = ContinuousClock.now
    private var failedTries = 0
    private var lastFailure: PostgresFailure?

    /// - Parameter mostWaiting: the operations that may wait; further ones had better be refused.
    init(
        _ settings: PostgresSettings, key: SecretBytes, _ ring: KeyRing, session: sending Session, bounds: FlowBounds,
        observer: StoreObserver, foundBreach: Breach? = nil, mostWaiting: Int = 8192
    ) {
        self.foundBreach = foundBreach
        self.settings = settings
        self.key = key
        self.ring = ring
        self.observer = observer
        self.mostWaiting = mostWaiting
        outstanding = OutstandingFlows(bounds)
        chain = session.chain
        self.session = session
        Thread.detachNewThread { [self] in
            Thread.current.name = "cloakroom-store"
            run()
        }
    }

    // MARK: callers

    /// Has an operation wait for the next commit.
    ///
    /// - Parameter isEnding: it ends something that an earlier one began, and is taken however many wait.
    func perform<Value: Sendable>(
        isEnding: Bool = false, _ operation: (Caller<Value>) -> Operation
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            let operation = operation(Caller(continuation: continuation))
            if let refusal = add(operation, isEnding: isEnding) { operation.finish(refusal) }
        }
        return try result.get()
    }

    /// Runs `body` in a transaction of its own, and returns when it is on the disk. It may run more than once, so it
    /// must have no effect outside the transaction.
    func write<Value: Sendable>(
        isEnding: Bool = false, line: Transaction.Line = .shared,
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws(StoreError) -> Value {
        try await perform(isEnding: isEnding) { .alone(Single(line, for: $0, body: body)) }
    }

    private func add(_ operation: Operation, isEnding: Bool) -> StoreError? {
        condition.lock()
        guard !isClosed else {
            condition.unlock()
            return .closed
        }
        guard isEnding || waiting.count < mostWaiting else {
            condition.unlock()
            observer.tell(.refused)
            return .unavailable("too many operations wait")
        }
        waiting.append((operation, .now))
        if waiting.count == 1 { condition.signal() }
        condition.unlock()
        return nil
    }

    var waitingCount: Int {
        condition.lock()
        defer { condition.unlock() }
        return waiting.count
    }

    /// Lets what waits finish, closes the connection and ends the thread. Returns after that, also when called again.
    func close() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            isClosed = true
            if hasEnded { continuation.resume() } else { whenEnded.append(continuation) }
            condition.signal()
            condition.unlock()
        }
    }

    // MARK: the thread

    private func run() {
        while let taken = next() {
            let oldest = ContinuousClock.now - Self.longestWait
            var operations: [Operation] = []
            for (operation, since) in taken {
                if since < oldest, operation.isForItsCaller {
                    operation.finish(.unavailable("PostgreSQL was busy or away for too long"))
                } else {
                    operations.append(operation)
                }
            }
            if !operations.isEmpty { commit(operations) }
        }
        session = nil
        condition.lock()
        hasEnded = true
        let waiting = whenEnded
        whenEnded = []
        condition.unlock()
        for continuation in waiting { continuation.resume() }
    }

    /// The operations for the next commit; `nil` when closed. Where the last one had company, waits a moment for as many
    /// again.
    private func next() -> [(operation: Operation, since: ContinuousClock.Instant)]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        if lastCount > 1, waiting.count < Self.mostInOneCommit, !isClosed {
            condition.unlock()
            usleep(Self.commitDelayMicroseconds)
            condition.lock()
        }
        let count = shareable()
        lastCount = count
        guard count < waiting.count else {
            defer { waiting.removeAll(keepingCapacity: true) }
            return waiting
        }
        let operations = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        return operations
    }

    /// How many of the first may share a commit: no two of one flow, and none that has a transaction of its own.
    private func shareable() -> Int {
        var flows: Set<FlowID> = []
        for (index, entry) in waiting.prefix(Self.mostInOneCommit).enumerated() {
            let operation = entry.operation
            if case .alone = operation { return max(index, 1) }
            if let flow = operation.flow, !flows.insert(flow).inserted { return index }
        }
        return min(waiting.count, Self.mostInOneCommit)
    }

    /// - Parameter limit: where those of a batch are done one by one: the end for all of them.
    private func commit(_ operations: [Operation], until limit: ContinuousClock.Instant? = nil) {
        let began = ContinuousClock.now
        if let limit, began >= limit {
            observer.tell(.failed)
            for operation in operations { operation.finish(.unavailable("PostgreSQL is too slow")) }
            return
        }
        defer { tellBreach() }
        do {
            let end = limit.map { min($0, began + .seconds(1)) } ?? began + Self.patience
            let (answers, ending) = try attempt(operations, until: end)
            switch ending {
            case .committed:
                observer.tell(.committed(operations: operations.count, duration: ContinuousClock.now - began))
            case .unreplicated, .unknown, .failed: observer.tell(.failed)
            }
            for answer in answers { answer(ending) }
        } catch let failure as PostgresFailure where failure.isOfTheServer || operations.count == 1 {
            observer.tell(.failed)
            for operation in operations { operation.finish(.unavailable(failure.words)) }
        } catch {
            guard operations.count > 1 else {
                observer.tell(.failed)
                operations.first?.finish(.unavailable(StoreFailure.reason(error)))
                return
            }
            // One failed and took the others back with it. Each gets a transaction of its own, so that only the one with
            // the fault fails. All share one deadline: where each waits for the same lock, such as this writer's chain held
            // by a COMMIT that waits for its standby, they would take minutes.
            let limit = ContinuousClock.now + Self.patience * 2
            for operation in operations { commit([operation], until: limit) }
        }
    }

    /// Tries until it is committed, cannot be, or the time is over.
    private func attempt(
        _ operations: [Operation], until end: ContinuousClock.Instant
    ) throws -> (answers: [Batch.Answer], ending: Ending) {
        var tries = 0
        while true {
            tries += 1
            do {
                let session = try connected(until: end)
                let (answers, isWhole) = try run(operations, in: session)
                return (answers, isWhole ? .committed : .unreplicated)
            } catch let uncertain as UncertainCommit {
                session = nil
                let answers = uncertain.result as? [Batch.Answer] ?? []
                switch resolve(uncertain.mark, until: .now + Self.patience) {
                case true?: return (answers, .committed)
                case false?: if ContinuousClock.now >= end { throw uncertain.failure }
                case nil: return (answers, .unknown)
                }
            } catch is Chain.TakenOver {
                tellBreach()
                chain = nil
                session = nil
                guard tries < Self.mostTries else { throw PostgresFailure.malformed }
            } catch let failure as PostgresFailure {
                if failure.endsConnection { session = nil }
                guard failure.isTransient || failure.endsConnection, tries < Self.mostTries, ContinuousClock.now < end
                else { throw failure }
                if failure.isTransient { usleep(UInt32.random(in: 1_000...20_000)) }
            }
        }
    }

    private func run(
        _ operations: [Operation], in session: Session
    ) throws -> (answers: [Batch.Answer], isWhole: Bool) {
        if case .alone(let operation)? = operations.first {
            let (answers, isWhole) = try session.transaction(line: operation.line, outstanding) { transaction in
                try operation.run(transaction)
                return [operation.finish] as [Batch.Answer]
            }
            return (answers, isWhole)
        }
        let batch = Batch(
            operations: operations, requiresSynchronousStandby: settings.requiresSynchronousStandby)
        let (answers, isWhole) = try session.transaction(line: .shared, outstanding, batch.run)
        return (answers, isWhole)
    }

    /// The session of before, or a new one: at once where the last try is some time ago, else after a pause that grows
    /// and differs between brokers.
    private func connected(until end: ContinuousClock.Instant) throws -> Session {
        if let session { return session }
        while true {
            let pause = ContinuousClock.now.duration(to: retryAt)
            if pause > .zero {
                guard retryAt < end else { throw lastFailure ?? .lost("the connection to PostgreSQL ended") }
                let (seconds, attoseconds) = pause.components
                usleep(UInt32(seconds * 1_000_000 + attoseconds / 1_000_000_000_000) + 1)
            }
            do throws(PostgresFailure) {
                let made = try Session.open(settings, until: .now + Self.patience, continuing: chain, key: key, ring)
                session = made
                chain = made.chain
                failedTries = 0
                return made
            } catch {
                lastFailure = error
                failedTries += 1
                let most = min(2_000, 50 << min(failedTries - 1, 6))
                retryAt = .now + .milliseconds(Int.random(in: most / 2...most))
                guard retryAt < end else { throw error }
            }
        }
    }

    /// Asks whether a commit is there whose answer was lost; `nil` where nobody tells in time.
    private func resolve(_ mark: Chain.Mark, until end: ContinuousClock.Instant) -> Bool? {
        while ContinuousClock.now < end {
            do {
                let session = try connected(until: end)
                let isThere = try session.holds(mark)
                if isThere == true { chain?.committed() }
                if isThere == nil { chain = nil }
                return isThere
            } catch let failure as PostgresFailure {
                if failure.endsConnection { session = nil }
                if failure.isTransient { usleep(UInt32.random(in: 10_000...50_000)) }
            } catch {
                return nil
            }
        }
        // Its end may be this one or that one.
        chain?.forgetKnown()
        return nil
    }

    /// Tells once that the audit trail is broken.
    private func tellBreach() {
        guard !hasToldBreach, let breach = chain?.breach ?? foundBreach else { return }
        hasToldBreach = observer.tell(.trailBroken(sequence: breach.sequence, finding: breach.finding))
    }
}

enum StoreFailure {
    /// Words without any value.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let failure as PostgresFailure: failure.words
        case let unopened as AuditKeyUnopened: unopened.error.reason(unopened.keyID).description
        case let breach as Breach: "the audit trail is broken at event \(breach.sequence): \(breach.finding)"
        // None is known; its text may hold anything.
        default: "an unexpected error (\(type(of: error)))"
        }
    }
}
