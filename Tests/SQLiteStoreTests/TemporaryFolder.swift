import Foundation
import Testing

/// A folder of this test alone, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cloakroom-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a test's store.
    var database: String { path + "/cloakroom.db" }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? [] }

    /// The bytes of every file.
    func contents() throws -> [String: Data] {
        var contents: [String: Data] = [:]
        for name in names { contents[name] = try Data(contentsOf: URL(filePath: path + "/" + name)) }
        return contents
    }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        return try #require(attributes[.posixPermissions] as? Int)
    }
}
