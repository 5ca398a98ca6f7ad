import Daemon
import Foundation
import SQLiteStore
import Testing

@testable import cloakroom

@Suite struct ProcessTests {
    @Test func `a temporary folder is its owner's alone, and goes with all that is in it`() throws {
        let folder = try TemporaryFolder("cloakroom-test")
        let file = folder.path("x.db")
        try Data("x".utf8).write(to: URL(fileURLWithPath: file))
        let path = URL(fileURLWithPath: file).deletingLastPathComponent().path
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
        folder.remove()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    static let failures: [OpeningError] = [
        .cannotCreate(path: "/p", reason: "r"), .notADatabase(path: "/p"), .corrupt(path: "/p", finding: "f"),
        .anotherProgram(path: "/p"), .newer(path: "/p"), .moved(path: "/p"), .inUse(path: "/p"),
        .notDurable(path: "/p"),
        .masterKeyMissing(path: "/p", id: nil), .failed(path: "/p", reason: "r"),
    ]

    @Test(arguments: failures.indices)
    func `what is wrong with a database is told with file, setting, path and what to do`(_ index: Int) throws {
        let configuration = try Installation().configuration()
        let fail = { (_: String) throws(OpeningError) in throw Self.failures[index] }
        let refusal = #expect(throws: Refusal.self) { try configuration.database(fail) }
        let lines = try #require(refusal).lines
        try #require(lines.count == 2)
        let file = configuration.origin
        #expect(lines[0].hasPrefix("\(file): storage.url: ") || lines[0].hasPrefix("\(file): masterKeyFile: "))
        #expect(lines[0].contains("\"/p\"") && lines[1].hasPrefix("hint: "))
    }

    @Test(arguments: failures.indices)
    func `what is wrong with the file of an argument is told without a setting`(_ index: Int) throws {
        let configuration = try Installation().configuration()
        let fail = { (_: String) throws(OpeningError) in throw Self.failures[index] }
        let refusal = #expect(throws: Refusal.self) { try configuration.database(and: "/p", fail) }
        let lines = try #require(refusal).lines
        #expect(lines.count == 2 && !lines[0].contains("storage.url") && lines[0].contains("\"/p\""))
    }
}
