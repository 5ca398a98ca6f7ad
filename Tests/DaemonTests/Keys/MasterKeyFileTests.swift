import Daemon
import Foundation
import Secrets
import Testing

@Suite struct MasterKeyFileTests {
    private let folder: Folder
    private let file: MasterKeyFile

    init() throws {
        folder = try Folder()
        try folder.write("master.key", "# kept\nfirst:\(Folder.key(1))\nsecond:\(Folder.key(2))\n")
        file = MasterKeyFile(path: folder.path("master.key"))
    }

    private static let third = "third:\(Folder.key(3))"

    @Test func `a change keeps what people wrote, and the mode`() async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file.path)
        try await file.change { lines, _ in lines.append(Self.third) }
        #expect(try file.read().ring.ids.map(\.description) == ["first", "second", "third"])
        #expect(try folder.read("master.key").hasPrefix("# kept\nfirst:"))
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
        let before = try folder.read("master.key")
        await #expect(throws: Refusal.self) {
            try await file.change { lines, _ in
                lines.removeAll()
                throw Refusal("no")
            }
        }
        #expect(try folder.read("master.key") == before)
        // And the next change is not held up.
        try await file.change { _, _ in }
    }

    @Test func `what a killed command left is no hindrance`() async throws {
        try folder.write("master.key.new", "half a li")
        try await file.change { lines, _ in lines.append(Self.third) }
        #expect(try file.read().ring.ids.count == 3)
    }

    @Test func `a link stays, and the file that it leads to changes`() async throws {
        let link = MasterKeyFile(path: folder.path("link"))
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: file.path)
        try await link.change { lines, _ in lines.append(Self.third) }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == file.path)
        #expect(try file.read().ring.ids.count == 3)
    }

    @Test func `of many changes at once none is lost`() async throws {
        try await withThrowingTaskGroup { group in
            for byte in UInt8(10)..<20 {
                group.addTask { [file] in
                    try await file.change { lines, _ in lines.append("k\(byte):\(Folder.key(byte))") }
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
        mkfifo(folder.path("pipe"), 0o600)
        let refusal = #expect(throws: Refusal.self) { try MasterKeyFile(path: folder.path("pipe")).read() }
        #expect(refusal?.lines.first?.contains("it is no regular file") == true)
    }

    @Test(arguments: [
        ("", "no key"), ("# only a remark\n", "no key"), ("key", "line 1"), ("a:x", "a in line 1"),
        ("a b c!:AAAA", "line 1"), ("a:\(Folder.key(1))\na:\(Folder.key(2))", "a again in line 2"),
    ])
    func `what is wrong with a key file is told without a key`(_ text: String, _ words: String) throws {
        let error = #expect(throws: KeyRingError.self) { try KeyRing(text) }
        let finding = try MasterKeyFile.Fault.malformed(#require(error)).finding(of: "the file")
        #expect(finding.hasPrefix("the file with ") && finding.contains(words), "\(finding)")
    }
}
