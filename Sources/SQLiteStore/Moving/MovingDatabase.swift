import Foundation
import GRDB
public import Secrets
package import StoreParts

/// A database that moves to another store. No broker has it open while this exists.
public final class MovingDatabase: Sendable {
    private let database: IdleDatabase
    private let queue: DatabaseQueue
    private let ring: KeyRing
    private let key: SecretBytes

    /// Opens one that is there, marked or not, and brings its tables up to date.
    public init(path: String, keyRing: KeyRing) throws(OpeningError) {
        guard FileManager.default.fileExists(atPath: path) else { throw .failed(path: path, reason: "it is not there") }
        database = try IdleDatabase(path: path)
        ring = keyRing
        try StoreFile.inspect(path, keyRing, takingMoved: true)
        queue = try StoreFile.open(path, keyRing, takingMoved: true).0
        do {
            key = try queue.read { db in
                guard let sealed = try Data.fetchOne(db, sql: "SELECT sealed_key FROM audit_trail") else {
                    throw Breach(sequence: 0, finding: "the trail's head is gone")
                }
                return try AuditKey.open(Array(sealed), keyRing)
            }
        } catch {
            throw StoreFile.opening(error, path)
        }
    }

    /// True where it was marked before: brokers refuse it already.
    public var isMarked: Bool { get throws(OpeningError) { try read(MoveMark.isSet) } }

    private func read<Value>(_ body: (Database) throws -> Value) throws(OpeningError) -> Value {
        do { return try queue.read(body) } catch { throw StoreFile.opening(error, database.path) }
    }

    private func write<Value>(_ body: (Database) throws -> Value) throws(OpeningError) -> Value {
        do { return try queue.write(body) } catch { throw StoreFile.opening(error, database.path) }
    }
}

extension MovingDatabase: CopySource {
    package var mark: CopyMark? { get throws { try read(MoveMark.read) } }

    package func markAsMoved() throws -> CopyMark {
        let id = Random.bytes(16)
        try write { try MoveMark.set($0, id) }
        try MoveMark.keepInFile(queue, database.path)
        return CopyMark(id: id, hasBegun: false)
    }

    package func noteBegun() throws { try write { try $0.execute(sql: "UPDATE moved SET has_begun = 1") } }

    package func noteFinished() throws {
        try write { try $0.execute(sql: "UPDATE moved SET has_begun = \(MoveMark.finished)") }
    }

    private enum Fact: Int32, Columns {
        case start, startDigest, last, lastTime, orderedFrom, leftOut
    }

    package var facts: CopiedFacts {
        get throws {
            try read { db in
                let revocations = try Self.lastRevocation(db)
                let facts = try db.first("SELECT \(Fact.list) FROM audit_trail") { row in
                    CopiedFacts(
                        key: key, start: row.integer(Fact.start), startDigest: row.blob(Fact.startDigest),
                        last: row.integer(Fact.last), lastTime: row.integer(Fact.lastTime),
                        orderedFrom: row.integer(Fact.orderedFrom), leftOut: row.integer(Fact.leftOut),
                        revocations: revocations)
                }
                guard let facts else { throw Breach(sequence: 0, finding: "the trail's head is gone") }
                return facts
            }
        }
    }

    /// The last one may have been forgotten.
    private static func lastRevocation(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'revocations'), 0),
                    coalesce((SELECT max(id) FROM revocations), 0), coalesce((SELECT max(line) FROM flows), 0),
                    coalesce((SELECT max(line) FROM credential_keys), 0))
                """) ?? 0
    }

    package func verifyAuditTrail() throws -> AuditVerification {
        try SQLiteStore.verifyAuditTrail(path: database.path, keyRing: ring)
    }

    package func count(of kind: CopiedKind) throws -> Int64 {
        try read { try Int64.fetchOne($0, sql: "SELECT count(*) FROM \(kind.table)") ?? 0 }
    }

    /// By the number of a row where it has one; else by how many were before: nobody writes meanwhile.
    package func rows(
        of kind: CopiedKind, after place: Int64, limit: Int
    ) throws -> (rows: [[StoredValue]], place: Int64) {
        let names = kind.columns.map { kind.source(of: $0.name) }.joined(separator: ", ")
        let sql: String
        switch kind {
        case .clients, .clientRegistrations:
            sql = "SELECT 0, \(names) FROM \(kind.table) ORDER BY 2, 3 LIMIT ?2 OFFSET ?1"
        case .revocations, .flows, .credentialKeys, .spentKeys, .auditEvents:
            let condition = kind.table.contains(" WHERE ") ? "AND" : "WHERE"
            sql = "SELECT rowid, \(names) FROM \(kind.table) \(condition) rowid > ?1 ORDER BY rowid LIMIT ?2"
        }
        do {
            return try queue.read { db in
                var last = place
                var rows: [[StoredValue]] = []
                let cursor = try Row.fetchCursor(db, sql: sql, arguments: [place, limit])
                while let row = try cursor.next() {
                    rows.append(
                        try kind.columns.enumerated().map { try Self.value(row[$0.offset + 1], of: $0.element) })
                    last = kind.isNumbered ? Int64.fromDatabaseValue(row[0]) ?? last : last + 1
                }
                return (rows, last)
            }
        } catch is MalformedRow {
            throw CopyError.malformedRow(kind)
        } catch {
            throw StoreFile.opening(error, database.path)
        }
    }

    private static func value(_ value: DatabaseValue, of column: CopiedColumn) throws -> StoredValue {
        switch (value.storage, column) {
        case (.null, .integer), (.null, .text), (.null, .bytes): .null
        case (.int64(let number), .integer), (.int64(let number), .bool): .integer(number)
        case (.string(let text), .text): .text(text)
        case (.blob(let bytes), .bytes): .bytes(Array(bytes))
        default: throw MalformedRow()
        }
    }

    package func events(after sequence: Int64, limit: Int) throws -> [AuditEntry] {
        try read { db in
            guard var link = try AuditHead.start(db, key) else {
                throw Breach(sequence: sequence, finding: "events before the first one were removed")
            }
            if sequence > link.sequence {
                let digest = try Data.fetchOne(
                    db, sql: "SELECT digest FROM audit_events WHERE sequence = ?", arguments: [sequence])
                link = AuditTrail.Link(sequence: sequence, digest: digest.map { Array($0) } ?? [])
            }
            // Their order was looked at with the trail as a whole.
            var walk = AuditWalk(key: key, orderedFrom: .max, from: link)
            let sql =
                "SELECT \(AuditRow.Column.list) FROM audit_events WHERE sequence > ? ORDER BY sequence LIMIT ?"
            return try Row.fetchAll(db, sql: sql, arguments: [link.sequence, limit]).map { try walk.step($0) }
        }
    }
}

extension CopiedKind {
    fileprivate var table: String {
        switch self {
        case .clients: "clients"
        case .clientRegistrations: "client_registrations"
        case .revocations: "revocations"
        case .flows: "flows"
        case .credentialKeys: "credential_keys"
        // Here a key leaves its table as it is spent, and its flow remembers it.
        case .spentKeys: "flows WHERE status = \(FlowRow.Status.redeemed) AND key_digest IS NOT NULL"
        case .auditEvents: "audit_events"
        }
    }

    fileprivate var isNumbered: Bool { self != .clients && self != .clientRegistrations }

    /// The column, or expression, that becomes the target's column of that name.
    fileprivate func source(of column: String) -> String {
        guard self == .spentKeys else { return column }
        return switch column {
        case "digest": "key_digest"
        case "flow": "id"
        // Nothing says when it was spent: before its end.
        case "expires_at", "spent_at": "coalesce(key_expires_at, expires_at)"
        default: column
        }
    }
}
