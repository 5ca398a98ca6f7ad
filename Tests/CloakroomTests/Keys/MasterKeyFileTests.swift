import Foundation
import Testing

@testable import cloakroom

@Suite struct MasterKeyFileTests {
    private let installation: Installation
    private let file: MasterKeyFile

    init() throws {
        installation = try Installation()
        try installation.write("master.key", "# kept\nfirst:\(Installation.key(1))\nsecond:\(Installation.key(2))\n")
        file = MasterKeyFile(path: installation.path("master.key"))
    }

    private static let third = "third:\(Installation.key(3))"

    @Test func `a change keeps what people wrote, and the mode`() async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file.path)
        try await file.change { lines, _ in lines.append(Self.third) }
        #expect(try file.read().ring.ids.map(\.description) == ["first", "second", "third"])
        #expect(try installation.read("master.key").hasPrefix("# kept\nfirst:"))
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o640)
        #expect(!FileManager.default.fileExists(atPath: file.path + ".new"))
    }

    /// Never more than the owner's group may read it after a change, whoever could before.
    @Test func `a change shuts out others`() async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: file.path)
        try await file.change { lines, _ in lines.append(Self.third) }
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o640)
    }

    @Test func `nothing is written where the change is refused`() async throws {
        let before = try installation.read("master.key")
        await #expect(throws: Refusal.self) {
            try await file.change { lines, _ in
                lines.removeAll()
                throw Refusal("no")
            }
        }
        #expect(try installation.read("master.key") == before)
        // And the next change is not held up.
        try await file.change { _, _ in }
    }

    @Test func `what a killed command left is no hindrance`() async throws {
        try installation.write("master.key.new", "half a li")
        try await file.change { lines, _ in lines.append(Self.third) }
        #expect(try file.read().ring.ids.count == 3)
    }

    @Test func `a link stays, and the file that it leads to changes`() async throws {
        let link = MasterKeyFile(path: installation.path("link"))
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: file.path)
        try await link.change { lines, _ in lines.append(Self.third) }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == file.path)
        #expect(try file.read().ring.ids.count == 3)
    }

    @Test func `of many changes at once none is lost`() async throws {
        try await withThrowingTaskGroup { group in
            for byte in UInt8(10)..<20 {
                group.addTask { [file] in
                    try await file.change { lines, _ in lines.append("k\(byte):\(Installation.key(byte))") }
                }
            }
            try await group.waitForAll()
        }
        #expect(try file.read().ring.ids.count == 12)
    }

    @Test func `another state of the file is told from the one before`() async throws {
        let stamp = try #require(file.stamp)
        #expect(file.stamp == stamp)
        try await file.change { lines, _ in lines.reverse() }
        #expect(file.stamp != stamp)
        try FileManager.default.removeItem(atPath: file.path)
        #expect(file.stamp == nil)
    }

    @Test(arguments: [("first:AAAA", "first"), (" first :AAAA", "first"), ("# remark", "#remark"), ("", "")])
    func `a line's id is what stands before the colon`(_ line: String, _ id: String) {
        #expect(MasterKeyFile.id(in: line) == id)
    }

    @Test func `a file that cannot be read is refused by its name`() {
        let nowhere = MasterKeyFile(path: "/nowhere")
        let refusal = #expect(throws: Refusal.self) { try nowhere.read() }
        #expect(refusal?.lines.first?.contains("nowhere") == true)
    }

    /// The keys would stay in a file that nobody looks at. A folder in the file's place cannot be replaced.
    @Test func `a change that fails leaves no copy of the keys`() async throws {
        await #expect(throws: Refusal.self) {
            try await file.change { lines, _ in
                lines.append(Self.third)
                try FileManager.default.removeItem(atPath: file.path)
                try FileManager.default.createDirectory(atPath: file.path, withIntermediateDirectories: false)
            }
        }
        #expect(!FileManager.default.fileExists(atPath: file.path + ".new"))
    }

    @Test func `a pipe in the file's place is refused at once`() {
        mkfifo(installation.path("pipe"), 0o600)
        let refusal = #expect(throws: Refusal.self) { try MasterKeyFile(path: installation.path("pipe")).read() }
        #expect(refusal?.lines.first?.contains("it is no regular file") == true)
    }
}
