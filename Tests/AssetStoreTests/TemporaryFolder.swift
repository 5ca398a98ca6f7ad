import Foundation
import GRDB
import Testing

/// A folder of this test alone, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cloakroom-assets-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a test's store.
    var database: String { path + "/assets.db" }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? [] }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    /// The files as they are at this moment, in another folder: what a process that ends now leaves.
    func copy() throws -> TemporaryFolder {
        let copy = try TemporaryFolder()
        for name in names where !name.hasSuffix("-shm") && !name.hasSuffix(".lock") {
            try FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: "\(copy.path)/\(name)")
        }
        return copy
    }

    /// Looks into the database past the store.
    func query<Value: DatabaseValueConvertible>(_ sql: String, as: Value.Type = Value.self) throws -> [Value] {
        try DatabaseQueue(path: database).read { try Value.fetchAll($0, sql: sql) }
    }

    func number(_ sql: String) throws -> Int { try #require(try query(sql, as: Int.self).first) }
}
