import Daemon
import Foundation
import Testing

@Suite struct SecretFileTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func fault(_ name: String) -> String? {
        SecretFile(setting: "masterKeyFile", path: folder.path(name)).fault
    }

    @Test(arguments: [0o600, 0o400, 0o700])
    func `a file that its owner alone can read is well`(_ mode: Int) throws {
        try folder.write("secret", "s", mode: mode)
        #expect(fault("secret") == nil)
    }

    @Test(arguments: [0o644, 0o604, 0o660, 0o602, 0o610])
    func `a file that others can read, write or enter is told with its mode`(_ mode: Int) throws {
        try folder.write("secret", "s", mode: mode)
        let told = try #require(fault("secret"))
        #expect(told.hasPrefix("masterKeyFile: \"\(folder.path("secret"))\""))
        #expect(told.contains(String(mode, radix: 8)))
    }

    /// An orchestrator's secrets are links to files: a link's own mode is always 777.
    @Test func `of a link the file that it leads to counts`() throws {
        try folder.write("secret", "s")
        let link = folder.path("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path("secret"))
        #expect(fault("link") == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.path("secret"))
        #expect(fault("link") != nil)
    }

    @Test func `a file that is not there has no fault of this kind`() {
        #expect(fault("nowhere") == nil)
    }
}
