import Broker
import Dispatch
import Foundation
import GRDB
import Secrets
import StoreParts
import Testing

@testable import SQLiteStore

@Suite struct WriterTests {
    private let folder: TemporaryFolder
    private let writer: Writer

    init() throws {
        folder = try TemporaryFolder()
        try StoreFile.prepare(folder.database)
        writer = try Self.writer(folder.database)
        try DatabaseQueue(path: folder.database).write {
            try $0.execute(sql: "CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
        }
    }

    private static func writer(_ path: String, mostWaiting: Int = 8192) throws -> Writer {
        let (queue, trail) = try StoreFile.open(path, KeyRing(Installation.firstKey))
        let observer = StoreObserver()
        return Writer(
            WritingConnection(
                queue, trail: trail, outstanding: OutstandingFlows(FlowBounds()), observer: observer),
            observer: observer, mostWaiting: mostWaiting)
    }

    @Test func `what was written is on the disk when the call returns`() async throws {
        try await insert(1)
        #expect(try committed() == [1])
    }

    @Test func `a write gives its result back`() async throws {
        #expect(try await writer.write { try Int.fetchOne($0.db, sql: "SELECT 41 + 1") } == 42)
    }

    /// Many that wait are committed together; where one fails, it alone does.
    @Test(arguments: [2, 50, 127, 128, 129, 300])
    func `a write that fails in a batch fails alone`(_ count: Int) async throws {
        let (writer, bad) = (writer, count / 2)
        let results = try await batch(count) { index in
            do throws(StoreError) {
                try await writer.write {
                    try $0.db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [index == bad ? 0 : index + 1])
                }
                return index + 1
            } catch {
                #expect(error == .unavailable("1555 (constraint failed): UNIQUE constraint failed: numbers.number"))
                return nil
            }
        } before: {
            try await insert(0)
        }
        #expect(results.filter { $0 == nil }.count == 1)
        #expect(try committed() == [0] + (1...count).filter { $0 != bad + 1 })
    }

    /// Each of them would fail again by itself.
    @Test func `where the disk is full a batch fails at once`() async throws {
        let (writer, told) = (writer, Told())
        try await writer.write { transaction in
            try transaction.db.execute(sql: "CREATE TABLE pages (bytes BLOB)")
            let pages = try Int.fetchOne(transaction.db, sql: "PRAGMA page_count") ?? 0
            _ = try Int.fetchOne(transaction.db, sql: "PRAGMA max_page_count = \(pages + 20)")
        }
        writer.observe { told.keep($0) }
        let results = try await batch(50) { _ in
            do throws(StoreError) {
                try await writer.write { try $0.db.execute(sql: "INSERT INTO pages VALUES (zeroblob(4096))") }
                return "kept"
            } catch {
                return "\(error)".contains("13 (database or disk is full)") ? "full" : "\(error)"
            }
        }
        #expect(results == Array(repeating: "full", count: 50))
        #expect(told.all == ["committed 1", "failed"])
    }

    @Test func `a write that fails after a change leaves nothing of it`() async throws {
        let writer = writer
        await #expect(throws: StoreError.self) {
            try await writer.write { transaction in
                try transaction.db.execute(sql: "INSERT INTO numbers VALUES (1)")
                try transaction.db.execute(sql: "INSERT INTO missing VALUES (1)")
            }
        }
        try await insert(2)
        #expect(try committed() == [2])
    }

    /// With `OR FAIL`, SQLite leaves the rows before the fault: the transaction has to take them back.
    @Test func `a statement that fails midway leaves nothing of it`() async throws {
        let writer = writer
        try await insert(3)
        await #expect(throws: StoreError.self) {
            try await writer.write { try $0.db.run("INSERT OR FAIL INTO numbers VALUES (1), (2), (3)") }
        }
        try await insert(4)
        #expect(try committed() == [3, 4])
    }

    @Test func `a write that ends the transaction itself harms no other`() async throws {
        let writer = writer
        await #expect(throws: StoreError.self) { try await writer.write { try $0.db.execute(sql: "ROLLBACK") } }
        try await insert(1)
        #expect(try committed() == [1])
    }

    @Test func `a failure names no value`() async throws {
        let writer = writer
        let error = await #expect(throws: StoreError.self) {
            try await writer.write {
                try $0.db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: ["a secret value"])
            }
        }
        #expect(error.map { String(describing: $0).contains("secret") } == false)
    }

    /// Else another process could commit between a batch's first read and its first write, and the batch would fail.
    @Test func `a batch that only reads so far lets no other process write`() async throws {
        var configuration = Configuration()
        configuration.busyMode = .immediateError
        let other = try DatabaseQueue(path: folder.database, configuration: configuration)
        let code: ResultCode? = try await writer.write { transaction -> ResultCode? in
            _ = try Int.fetchAll(transaction.db, sql: "SELECT number FROM numbers")
            do {
                try other.write { try $0.execute(sql: "INSERT INTO numbers VALUES (1)") }
                return nil
            } catch let error as DatabaseError {
                return error.resultCode
            }
        }
        #expect(code == .SQLITE_BUSY)
    }

    @Test func `a lock that another process keeps fails the write, and the next one is good`() async throws {
        var configuration = Configuration()
        configuration.busyMode = .immediateError
        let observer = StoreObserver()
        let impatient = Writer(
            WritingConnection(
                try DatabaseQueue(path: folder.database, configuration: configuration),
                trail: AuditTrail(key: SecretBytes([])), outstanding: OutstandingFlows(FlowBounds()),
                observer: observer),
            observer: observer)
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: folder.database, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        await #expect(throws: StoreError.unavailable("5 (database is locked): database is locked")) {
            try await impatient.write { try $0.db.execute(sql: "INSERT INTO numbers VALUES (1)") }
        }
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try await impatient.write { try $0.db.execute(sql: "INSERT INTO numbers VALUES (2)") }
        #expect(try committed() == [2])
    }

    @Test func `writes that wait are done in their order`() async throws {
        let writer = writer
        let counts = try await batch(200) { index in
            try? await writer.write { transaction in
                try transaction.db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [index])
                return try Int.fetchOne(transaction.db, sql: "SELECT count(*) FROM numbers") ?? 0
            }
        }
        #expect(counts == (1...200).map { $0 })
    }

    // MARK: load

    @Test func `beyond the bound a write is refused at once, one that ends something is not`() async throws {
        let writer = try Self.writer(folder.database, mostWaiting: 5)
        let results = try await batch(20, writer) { index in
            do throws(StoreError) {
                try await writer.write(isEnding: index >= 10) {
                    try $0.db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [index])
                }
                return "kept"
            } catch {
                return error == .unavailable("too many operations wait") ? "refused" : "\(error)"
            }
        }
        #expect(
            results == Array(repeating: "kept", count: 5) + Array(repeating: "refused", count: 5)
                + Array(repeating: "kept", count: 10))
        #expect(try committed() == Array(0..<5) + Array(10..<20))
    }

    // MARK: observing

    @Test func `an observer is told of commits, failures and refusals`() async throws {
        let writer = try Self.writer(folder.database, mostWaiting: 3)
        let told = Told()
        writer.observe { told.keep($0) }
        let results = try await batch(5, writer) { index in
            try? await writer.write { try $0.db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [index]) }
        }
        #expect(results.filter { $0 != nil }.count == 3)
        await #expect(throws: StoreError.self) {
            try await writer.write { try $0.db.execute(sql: "INSERT INTO missing VALUES (1)") }
        }
        await writer.close()
        await #expect(throws: StoreError.closed) { try await writer.write { _ in } }
        #expect(told.all == ["refused", "refused", "committed 1", "committed 3", "failed"])
        #expect(writer.waitingCount == 0)
    }

    // MARK: closing

    @Test func `what was handed over is done before the writer closes`() async throws {
        let writer = writer
        let results = try await batch(200) { index in
            if index == 199 {
                await writer.close()
                return true
            }
            return
                (try? await writer.write {
                    try $0.db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [index])
                })
                != nil
        }
        #expect(results.allSatisfy { $0 == true })
        #expect(try committed().count == 199)
    }

    @Test func `a closed writer refuses`() async {
        await writer.close()
        await #expect(throws: StoreError.closed) { try await insert(1) }
    }

    @Test func `closing again returns`() async {
        await writer.close()
        await writer.close()
        let writer = writer
        await withTaskGroup { group in for _ in 0..<10 { group.addTask { await writer.close() } } }
    }

    private func insert(_ number: Int) async throws(StoreError) {
        try await writer.write { try $0.db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [number]) }
    }

    /// Read by another connection, which sees only what was committed.
    private func committed() throws -> [Int] {
        var configuration = Configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: folder.database, configuration: configuration).read { db in
            try Int.fetchAll(db, sql: "SELECT number FROM numbers ORDER BY number")
        }
    }

    /// Runs `count` tasks that all wait, in the order of their numbers, before the writer takes up any of them.
    private func batch<Value: Sendable>(
        _ count: Int, _ other: Writer? = nil, _ body: @escaping @Sendable (Int) async -> Value?,
        before: () async throws -> Void = {}
    ) async throws -> [Value?] {
        try await before()
        let (writer, gate, executor) = (other ?? writer, DispatchSemaphore(value: 0), CountingExecutor())
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let blocker = Task {
            try await writer.write { _ in
                enter.finish()
                gate.wait()
            }
        }
        for await _ in entered {}
        let tasks = (0..<count).map { index in Task(executorPreference: executor) { await body(index) } }
        executor.waitUntilIdle()
        gate.signal()
        try await blocker.value
        var values: [Value?] = []
        for task in tasks { values.append(await task.value) }
        return values
    }
}

/// Keeps what an observer is told.
///
/// `@unchecked Sendable`: `lock` guards `kept`.
private final class Told: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: [String] = []

    var all: [String] { lock.withLock { kept } }

    func keep(_ event: WriterEvent) {
        let line =
            switch event {
            case .committed(let operations, let duration): duration > .zero ? "committed \(operations)" : "no time"
            case .failed: "failed"
            case .refused: "refused"
            case .recorded, .notRecorded, .trailBroken: "of the trail"
            case .notClosed: "not closed"
            }
        lock.withLock { kept.append(line) }
    }
}

/// Runs tasks one after another and knows when all of them wait for something else.
///
/// `@unchecked Sendable`: the queue guards the rest.
private final class CountingExecutor: TaskExecutor, @unchecked Sendable {
    private let queue = DispatchQueue(label: "cloakroom.tests")
    private let jobs = DispatchGroup()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        jobs.enter()
        queue.async { [self] in
            job.runSynchronously(on: executor)
            jobs.leave()
        }
    }

    /// A job hands over its next one before it ends, so once there is none, every task waits.
    func waitUntilIdle() { jobs.wait() }
}
