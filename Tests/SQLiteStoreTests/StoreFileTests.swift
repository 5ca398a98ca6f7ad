import Broker
import Dispatch
import Foundation
import GRDB
import Secrets
import Testing

@testable import SQLiteStore

@Suite struct StoreFileTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    // MARK: settings

    /// https://www.sqlite.org/pragma.html#pragma_synchronous: 2 is FULL, so that a commit survives a power cut.
    @Test(arguments: [
        ("synchronous", "2"), ("journal_mode", "wal"), ("secure_delete", "1"), ("application_id", "1668049778"),
    ])
    func `the writing connection is set up as promised`(_ pragma: String, _ value: String) throws {
        for _ in 0..<2 {
            try StoreFile.prepare(folder.database)
            let (queue, _) = try StoreFile.open(folder.database, KeyRing(Installation.firstKey))
            let set = try queue.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA \(pragma)") }
            #expect(set == value)
            try queue.close()
        }
    }

    @Test func `a new database that several open at once opens for all`() throws {
        for round in 0..<50 {
            let path = folder.path + "/new-\(round).db"
            let failures = Locked<[any Error]>([])
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                do {
                    try StoreFile.inspect(path, KeyRing(Installation.firstKey))
                    try StoreFile.prepare(path)
                    try StoreFile.open(path, KeyRing(Installation.firstKey)).0.close()
                } catch {
                    failures.withLock { $0.append(error) }
                }
            }
            let found = failures.withLock { $0 }
            #expect(found.isEmpty, "\(found)")
        }
    }

    /// https://www.sqlite.org/fileformat.html § 1.3: write and read version 2 mean WAL; the application is at 68.
    @Test func `the file itself says that it is ours and has a write-ahead log`() async throws {
        let store = try SQLiteStore(path: folder.database)
        try await store.start(try Samples.flow())
        await store.close()
        let header = Array(try Data(contentsOf: URL(filePath: folder.database)).prefix(100))
        #expect(header[18...19] == [2, 2])
        #expect(Array(header[68..<72]) == Array("clkr".utf8))
    }

    @Test func `all files are for their owner alone`() async throws {
        let store = try SQLiteStore(path: folder.database)
        try await store.start(try Samples.flow())
        #expect(folder.names == ["cloakroom.db", "cloakroom.db-shm", "cloakroom.db-wal", "cloakroom.db.lock"])
        for name in folder.names { #expect(try folder.mode(name) == 0o600) }
    }

    @Test func `files that others could read are narrowed`() async throws {
        await (try SQLiteStore(path: folder.database)).close()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.database)
        let store = try SQLiteStore(path: folder.database)
        try await store.start(try Samples.flow())
        for name in folder.names { #expect(try folder.mode(name) == 0o600) }
    }

    /// https://www.sqlite.org/pragma.html#pragma_secure_delete
    @Test func `what was redeemed is not left in free pages`() async throws {
        let sealed = Array("QqQqQ a sealed row that must not outlive its redemption QqQqQ".utf8)
        let key = CredentialKey.random()
        let first = try SQLiteStore(path: folder.database)
        try await first.keep(try Samples.flow(), key, credentials: sealed)
        await first.close()
        #expect(try Data(contentsOf: URL(filePath: folder.database)).range(of: Data(sealed)) != nil)
        let second = try SQLiteStore(path: folder.database)
        #expect(try await second.redeem(key).name == "redeemed")
        await second.close()
        #expect(try Data(contentsOf: URL(filePath: folder.database)).range(of: Data(sealed)) == nil)
    }

    // MARK: opening again

    @Test func `an opened store keeps its state`() async throws {
        let (first, second) = (CredentialKey.random(), CredentialKey.random())
        var store = try SQLiteStore(path: folder.database)
        let waiting = try Samples.flow()
        try await store.start(waiting)
        let bound = try await store.keep(try Samples.flow(), first, isBound: true, sealedKey: [1, 2])
        try await store.keep(try Samples.flow(), second)
        await store.close()
        store = try SQLiteStore(path: folder.database)
        #expect(try await store.claim(waiting.id, isBound: false, at: Samples.now) != nil)
        #expect(try await store.outcome(of: bound.id)?.key?.bytes == [1, 2])
        #expect(try await store.redeem(second).name == "redeemed")
        #expect(try await store.redeem(first).name == "redeemed")
    }

    @Test func `a store that was not closed is opened with what it had committed`() async throws {
        let key = CredentialKey.random()
        let first = try SQLiteStore(path: folder.database)
        try await first.keep(try Samples.flow(), key)
        let copy = try TemporaryFolder()
        for (name, data) in try folder.contents() where !name.hasSuffix("-shm") {
            try data.write(to: URL(filePath: copy.path + "/" + name))
        }
        #expect(try await SQLiteStore(path: copy.database).redeem(key).name == "redeemed")
        await first.close()
    }

    @Test func `an empty file becomes a store`() async throws {
        try Data().write(to: URL(filePath: folder.database))
        try await (try SQLiteStore(path: folder.database)).check()
    }

    // MARK: refusal

    @Test func `a newer store is refused and left as it is`() async throws {
        await (try SQLiteStore(path: folder.database)).close()
        try await change { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('9 of a later version')")
        }
        try expectRefused { $0 == .newer(path: folder.database) }
    }

    @Test func `another program's database is refused and left as it is`() async throws {
        try await change { db in
            try db.execute(sql: "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')")
        }
        try expectRefused { $0 == .anotherProgram(path: folder.database) }
    }

    @Test func `another program's database with a write-ahead log is refused and left as it is`() async throws {
        try await change(journal: .wal) { db in try db.execute(sql: "CREATE TABLE notes (text TEXT)") }
        try expectRefused { $0 == .anotherProgram(path: folder.database) }
    }

    @Test func `an empty database with another program's mark is refused and left as it is`() async throws {
        try await change { db in try db.execute(sql: "PRAGMA application_id = 7; PRAGMA user_version = 1") }
        try expectRefused { $0 == .anotherProgram(path: folder.database) }
    }

    @Test(arguments: ["this is not a database\n", "SQLite format 3", String(repeating: "x", count: 10_000)])
    func `what is no database is refused and left as it is`(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: folder.database))
        try expectRefused { $0 == .notADatabase(path: folder.database) }
    }

    @Test func `a damaged store is refused and left as it is`() async throws {
        let store = try SQLiteStore(path: folder.database)
        try await store.fill(Samples.keys(200))
        await store.close()
        var data = try Data(contentsOf: URL(filePath: folder.database))
        try #require(data.count > 5 * 4096)
        for place in 3 * 4096..<5 * 4096 { data[place] = 0xA5 }
        try data.write(to: URL(filePath: folder.database))
        try expectRefused { if case .corrupt(folder.database, _) = $0 { true } else { false } }
    }

    @Test func `a store that was cut short is refused and left as it is`() async throws {
        let store = try SQLiteStore(path: folder.database)
        try await store.fill(Samples.keys(200))
        await store.close()
        let data = try Data(contentsOf: URL(filePath: folder.database))
        try data.prefix(data.count / 2).write(to: URL(filePath: folder.database))
        try expectRefused { if case .corrupt(folder.database, _) = $0 { true } else { false } }
    }

    @Test(arguments: ["missing/cloakroom.db", ""])
    func `a path where no file can be made is refused`(_ path: String) throws {
        let path = path.isEmpty ? folder.path : "\(folder.path)/\(path)"
        let error = #expect(throws: OpeningError.self) { try SQLiteStore(path: path) }
        #expect(error.map { String(describing: $0).contains(path) } == true)
        #expect(folder.names == [])
    }

    /// Not even the superuser can make a file there.
    @Test func `a folder that takes no files is refused`() {
        let error = #expect(throws: OpeningError.self) { try SQLiteStore(path: "/proc/cloakroom.db") }
        guard case .cannotCreate("/proc/cloakroom.db", let reason) = error else {
            Issue.record("not told as a file that cannot be made")
            return
        }
        #expect(!reason.isEmpty)
    }

    /// The superuser may write anywhere, so this tells nothing then.
    @Test(.enabled(if: geteuid() != 0)) func `a read-only folder is refused`() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.path)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path) }
        let error = #expect(throws: OpeningError.self) { try SQLiteStore(path: folder.database) }
        guard case .cannotCreate(folder.database, _) = error else {
            Issue.record("not told as a file that cannot be made")
            return
        }
    }

    @Test func `looking at a path makes and changes nothing`() async throws {
        try SQLiteStore.inspect(path: folder.database)
        #expect(folder.names == [])
        let store = try SQLiteStore(path: folder.database)
        try await store.start(try Samples.flow())
        await store.close()
        let before = try folder.contents()
        try SQLiteStore.inspect(path: folder.database)
        #expect(try folder.contents() == before)
    }

    @Test func `a refused database of another program has no new file beside it`() async throws {
        try await change(journal: .wal) { db in try db.execute(sql: "CREATE TABLE notes (text TEXT)") }
        #expect(throws: OpeningError.anotherProgram(path: folder.database)) { try SQLiteStore(path: folder.database) }
        #expect(folder.names == ["cloakroom.db"])
    }

    /// A database of an earlier version stays one, for the program that it belongs to.
    @Test func `a ring without the key migrates nothing`() async throws {
        await (try SQLiteStore(path: folder.database)).close()
        let statements = "DELETE FROM grdb_migrations WHERE identifier >= '5'; PRAGMA user_version = 4"
        try await change(journal: .wal) { db in try db.execute(sql: statements) }
        let error = #expect(throws: OpeningError.self) {
            try SQLiteStore(path: folder.database, keyRing: KeyRing.ephemeral())
        }
        guard case .masterKeyMissing(folder.database, _?) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let applied = try await DatabaseQueue(path: folder.database).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM grdb_migrations")
        }
        #expect(applied == 4)
    }

    // MARK: the lock

    @Test func `a database that a broker has open is not idle`() async throws {
        let stores = [try SQLiteStore(path: folder.database), try SQLiteStore(path: folder.database)]
        for store in stores {
            #expect(throws: OpeningError.inUse(path: folder.database)) { try IdleDatabase(path: folder.database) }
            await store.close()
        }
        let idle = try IdleDatabase(path: folder.database)
        #expect(throws: OpeningError.inUse(path: folder.database)) { try SQLiteStore(path: folder.database) }
        #expect(idle.path == folder.database)
    }

    // MARK: copies

    @Test func `a restore that fails leaves the old database and no copy`() async throws {
        await (try SQLiteStore(path: folder.database)).close()
        let copy = folder.path + "/copy.db"
        try SQLiteStore.copy(path: folder.database, to: copy)
        let before = try folder.contents()
        let log = folder.database + "-wal"
        try Data().write(to: URL(filePath: log))
        // By the name that the log would get.
        let idle = try IdleDatabase(path: folder.database)
        let names = folder.names
        #expect(throws: OpeningError.self) {
            try SQLiteStore.restore(
                copy, to: idle,
                moving: { from, to in
                    if from == log { throw CocoaError(.fileWriteNoPermission) }
                    try FileManager.default.moveItem(atPath: from, toPath: to)
                })
        }
        #expect(folder.names == names)
        #expect(try folder.contents()["cloakroom.db"] == before["cloakroom.db"])
    }

    @Test func `what is wrong with the source of a copy is told of the source`() async throws {
        try Data(String(repeating: "no database ", count: 500).utf8).write(to: URL(filePath: folder.database))
        #expect(throws: OpeningError.notADatabase(path: folder.database)) {
            try SQLiteStore.copy(path: folder.database, to: folder.path + "/copy.db")
        }
        #expect(folder.names == ["cloakroom.db"])
    }

    private func change(
        journal: Configuration.JournalModeConfiguration = .default,
        _ body: @escaping @Sendable (Database) throws -> Void
    ) async throws {
        var configuration = Configuration()
        configuration.journalMode = journal
        let queue = try DatabaseQueue(path: folder.database, configuration: configuration)
        try await queue.write(body)
        try queue.close()
    }

    /// Opening and looking both throw what `isRight` knows, and every byte of the file stays.
    private func expectRefused(location: SourceLocation = #_sourceLocation, _ isRight: (OpeningError) -> Bool) throws {
        let before = try folder.contents()["cloakroom.db"]
        let attempts = [
            { _ = try SQLiteStore(path: folder.database) }, { try SQLiteStore.inspect(path: folder.database) },
        ]
        for attempt in attempts {
            let error = #expect(throws: OpeningError.self, sourceLocation: location) { try attempt() }
            #expect(error.map(isRight) == true, "\(String(describing: error))", sourceLocation: location)
        }
        #expect(try folder.contents()["cloakroom.db"] == before, sourceLocation: location)
    }
}
