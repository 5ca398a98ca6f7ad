import GRDB
import Testing

@testable import SQLiteStore

@Suite struct StatementTests {
    private let queue: DatabaseQueue

    init() throws {
        queue = try DatabaseQueue()
        try queue.write { try $0.execute(sql: "CREATE TABLE things (name TEXT UNIQUE, size INTEGER, content BLOB)") }
    }

    private static let insert = "INSERT INTO things VALUES (?, ?, ?) RETURNING name, size, content"

    @Test(arguments: ["", "a", "\u{0}", "a\u{0}b", "ü\u{10FFFF}", "e\u{301}", String(repeating: "x", count: 100_000)])
    func `text comes back as it was`(_ text: String) throws {
        let kept = try queue.write { db in
            try db.first(Self.insert, .text(text), .integer(0), .null) { ($0.isNull(0), $0.text(0)) }
        }
        #expect(kept?.0 == false)
        #expect(kept.map { Array($0.1.utf8) } == Array(text.utf8))
    }

    @Test(arguments: [[], [0], [0xFF, 0, 0xC3], [UInt8](repeating: 7, count: 100_000)] as [[UInt8]])
    func `bytes come back as they were`(_ bytes: [UInt8]) throws {
        let kept = try queue.write { db in
            try db.first(Self.insert, .null, .null, .blob(bytes)) { ($0.isNull(2), $0.blob(2)) }
        }
        #expect(kept?.0 == false)
        #expect(kept?.1 == bytes)
    }

    @Test(arguments: [0, 1, -1, Int64.max, .min])
    func `numbers come back as they were`(_ number: Int64) throws {
        #expect(try queue.write { db in try db.first("SELECT ?", .integer(number)) { $0.integer(0) } } == number)
    }

    @Test func `what is absent is NULL`() throws {
        let kept = try queue.write { db in
            try db.first(Self.insert, .text(nil as String?), .null, .blob(nil as [UInt8]?)) { row in
                (row.textIfAny(0), row.integer(1), row.blobIfAny(2))
            }
        }
        #expect(kept?.0 == nil)
        #expect(kept?.1 == 0)
        #expect(kept?.2 == nil)
    }

    @Test func `without a row there is no result`() throws {
        #expect(try queue.write { db in try db.first("SELECT 1 WHERE 0") { $0.integer(0) } } == nil)
    }

    @Test func `a statement works again after a failure`() throws {
        try queue.write { db in
            for name in ["first", "second"] {
                try db.run(Self.insert, .text(name), .integer(1), .null)
                let error = #expect(throws: DatabaseError.self) {
                    try db.run(Self.insert, .text(name), .integer(1), .blob([1]))
                }
                #expect(error?.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE)
                #expect(error?.message == "UNIQUE constraint failed: things.name")
            }
            let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM things")
            #expect(count == 2)
        }
    }

    @Test func `a statement works again after its row could not be read`() throws {
        struct Unreadable: Error {}
        try queue.write { db in
            #expect(throws: Unreadable.self) {
                try db.first("SELECT name FROM things UNION SELECT 'a' UNION SELECT 'b'") { _ in throw Unreadable() }
            }
            let name = try db.first("SELECT name FROM things UNION SELECT 'a' UNION SELECT 'b'") { $0.text(0) }
            #expect(name == "a")
        }
    }

    /// A value that was bound once must not serve a later use that binds less.
    @Test func `a use leaves no values behind`() throws {
        try queue.write { db in
            try db.run("INSERT INTO things (name, content) VALUES (?, ?)", .text("first"), .blob([1, 2, 3]))
            try db.run("INSERT INTO things (name, content) VALUES (?, ?)", .text("second"))
            let isAbsent = try db.first("SELECT content FROM things WHERE name = 'second'") { $0.isNull(0) }
            #expect(isAbsent == true)
        }
    }

    @Test func `more values than places are a failure`() throws {
        queue.inDatabase { db in
            _ = #expect(throws: DatabaseError.self) { try db.run("SELECT ?", .integer(1), .integer(2)) }
        }
    }

    @Test func `a statement tells whether it changed a row, whatever the one before did`() throws {
        try queue.write { db in
            try db.run("INSERT INTO things (name, size) VALUES (?, ?)", .text("a"), .integer(1))
            let isChanged = try ["a", "b", "a"].map {
                try db.changesRow("UPDATE things SET size = size + 1 WHERE name = ?", .text($0))
            }
            #expect(isChanged == [true, false, true])
            let isDeleted = try ["b", "a", "a"].map {
                try db.changesRow("DELETE FROM things WHERE name = ?", .text($0))
            }
            #expect(isDeleted == [false, true, false])
            try db.run("INSERT INTO things (name) VALUES (?)", .text("c"))
            #expect(try !db.changesRow("SELECT 1"))
        }
    }

    @Test func `values beside each other stay apart`() throws {
        let long = String(repeating: "ü", count: 2000)
        let kept = try queue.write { db in
            try db.first(
                "SELECT ?, ?, ?, ?, ?, ?", .text("ab"), .blob([1, 2]), .text(""), .text(long), .blob([]), .blob([3])
            ) { ($0.text(0), $0.blob(1), $0.text(2), $0.text(3), $0.blob(4), $0.blob(5)) }
        }
        let expected = ("ab", [1, 2] as [UInt8], "", long, [] as [UInt8], [3] as [UInt8])
        #expect(try #require(kept) == expected)
    }
}
