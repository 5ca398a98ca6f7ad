import Assets
import Foundation
import GRDB
import Testing

@testable import AssetStore

@Suite struct StoreFileTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    // MARK: settings

    /// https://www.sqlite.org/pragma.html#pragma_synchronous: 2 is FULL, so that a commit survives a power cut.
    @Test(arguments: [
        ("synchronous", "2"), ("journal_mode", "wal"), ("secure_delete", "1"), ("application_id", "1668049761"),
        ("page_size", "16384"), ("user_version", "1"),
    ])
    func `the writing connection is set up as promised`(_ pragma: String, _ value: String) throws {
        for _ in 0..<2 {
            try StoreFile.prepare(folder.database)
            let queue = try StoreFile.open(folder.database)
            #expect(try queue.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA \(pragma)") } == value)
            try queue.close()
        }
    }

    /// https://www.sqlite.org/fileformat.html § 1.3: write and read version 2 mean WAL; the application is at 68.
    @Test func `the file itself says that it is ours and has a write-ahead log`() async throws {
        let store = try SQLiteAssetStore(path: folder.database)
        try await store.make()
        await store.close()
        let header = Array(try Data(contentsOf: URL(filePath: folder.database)).prefix(100))
        #expect(header[18...19] == [2, 2])
        #expect(Array(header[68..<72]) == Array("clka".utf8))
    }

    @Test func `all files are for their owner alone`() async throws {
        try Data().write(to: URL(filePath: folder.database))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.database)
        let store = try SQLiteAssetStore(path: folder.database)
        try await store.make()
        #expect(
            folder.names == ["assets.db", "assets.db-shm", "assets.db-uploads", "assets.db-wal", "assets.db.lock"])
        for name in folder.names { #expect(try folder.mode(name) == (name.hasSuffix("uploads") ? 0o700 : 0o600)) }
    }

    // MARK: one process

    @Test func `a database that is open is refused to a second`() async throws {
        let first = try SQLiteAssetStore(path: folder.database)
        #expect(throws: OpeningError.inUse(path: folder.database)) { try SQLiteAssetStore(path: folder.database) }
        await first.close()
        await (try SQLiteAssetStore(path: folder.database)).close()
    }

    @Test func `a database that is open is refused by another name too`() async throws {
        let first = try SQLiteAssetStore(path: folder.database)
        let other = folder.path + "/other.db"
        try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: folder.database)
        #expect(throws: OpeningError.inUse(path: other)) { try SQLiteAssetStore(path: other) }
        await first.close()
    }

    /// The system takes a lock back with the process; what it leaves is the file.
    @Test func `a lock file that nobody holds stops nobody`() async throws {
        try Data().write(to: URL(filePath: folder.database + ".lock"))
        await (try SQLiteAssetStore(path: folder.database)).close()
    }

    @Test func `a refusal leaves what is there as it was`() async throws {
        let first = try SQLiteAssetStore(path: folder.database)
        let asset = try await first.make()
        _ = try? SQLiteAssetStore(path: folder.database)
        try await first.check()
        #expect(try await first.asset(asset.id, of: .acme)?.displayName == "Handbook")
        await first.close()
    }

    // MARK: files that are none of ours

    /// Writes past the store.
    private func change(_ sql: String) throws {
        let queue = try DatabaseQueue(path: folder.database)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    private func expectRefused(_ error: OpeningError) throws {
        let before = try Data(contentsOf: URL(filePath: folder.database))
        #expect(throws: error) { try SQLiteAssetStore(path: folder.database) }
        #expect(throws: error) { try SQLiteAssetStore.inspect(path: folder.database) }
        #expect(try Data(contentsOf: URL(filePath: folder.database)) == before)
        #expect(!folder.names.contains("assets.db-uploads"))
    }

    @Test func `another program's database is refused and left as it is`() throws {
        try change("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')")
        try expectRefused(.anotherProgram(path: folder.database))
    }

    @Test func `a file that is no database is refused and left as it is`() throws {
        try Data(repeating: 0x41, count: 5000).write(to: URL(filePath: folder.database))
        try expectRefused(.notADatabase(path: folder.database))
    }

    @Test func `a newer database is refused and left as it is`() async throws {
        await (try SQLiteAssetStore(path: folder.database)).close()
        try FileManager.default.removeItem(atPath: folder.database + "-uploads")
        try change("PRAGMA user_version = 2")
        try expectRefused(.newer(path: folder.database))
    }

    /// Its header may not tell it yet.
    @Test func `a database with a migration of a later version is refused`() async throws {
        await (try SQLiteAssetStore(path: folder.database)).close()
        try change("INSERT INTO grdb_migrations VALUES ('9 of a later version')")
        #expect(throws: OpeningError.newer(path: folder.database)) { try SQLiteAssetStore(path: folder.database) }
    }

    @Test func `a folder that is not there is told`() throws {
        let path = folder.path + "/missing/assets.db"
        #expect(throws: OpeningError.cannotCreate(path: path, reason: "No such file or directory")) {
            try SQLiteAssetStore(path: path)
        }
    }

    // MARK: what is kept

    @Test func `a store that was not closed is opened with what it had committed`() async throws {
        let first = try SQLiteAssetStore(path: folder.database)
        let asset = try await first.make()
        let copy = try folder.copy()
        let second = try SQLiteAssetStore(path: copy.database)
        #expect(try await second.asset(asset.id, of: .acme)?.displayName == "Handbook")
        await second.close()
        await first.close()
    }

    /// https://www.sqlite.org/pragma.html#pragma_secure_delete
    @Test func `credentials and texts that were deleted are not left in free pages`() async throws {
        let secrets = ["QqQqQ sealed credentials QqQqQ", "ZzZzZ a chunk of text ZzZzZ"].map { Data($0.utf8) }
        let first = try SQLiteAssetStore(path: folder.database)
        let asset = try await first.make(credentials: Array(secrets[0]))
        let run = try await first.start()
        for queued in try await first.add("a", to: run) {
            try await first.complete(queued, of: run, cut(String(decoding: secrets[1], as: UTF8.self)))
        }
        await first.close()
        for secret in secrets {
            #expect(try Data(contentsOf: URL(filePath: folder.database)).range(of: secret) != nil)
        }
        let second = try SQLiteAssetStore(path: folder.database)
        _ = try await second.delete(asset.id, of: .acme)
        await second.close()
        for secret in secrets {
            #expect(try Data(contentsOf: URL(filePath: folder.database)).range(of: secret) == nil)
        }
    }

    @Test func `a closed store says so`() async throws {
        let store = try SQLiteAssetStore(path: folder.database)
        let asset = try await store.make()
        await store.close()
        await #expect(throws: AssetStoreError.closed) { try await store.check() }
        await #expect(throws: AssetStoreError.closed) { try await store.asset(asset.id, of: .acme) }
        await #expect(throws: AssetStoreError.closed) { try await store.operations(of: asset.id, .acme, PageRequest()) }
    }
}
