import Foundation
import Testing

@testable import cloakroom

@Suite struct SecretFileTests {
    private let installation: Installation

    init() throws { installation = try Installation() }

    private func fault(_ name: String) -> String? {
        SecretFile(setting: "masterKeyFile", path: installation.path(name)).fault
    }

    @Test(arguments: [0o600, 0o400, 0o700])
    func `a file that its owner alone can read is well`(_ mode: Int) throws {
        try installation.write("secret", "s", mode: mode)
        #expect(fault("secret") == nil)
    }

    @Test(arguments: [0o644, 0o604, 0o660, 0o602, 0o610])
    func `a file that others can read, write or enter is told with its mode`(_ mode: Int) throws {
        try installation.write("secret", "s", mode: mode)
        let told = try #require(fault("secret"))
        #expect(told.hasPrefix("masterKeyFile: \"\(installation.path("secret"))\""))
        #expect(told.contains(String(mode, radix: 8)))
    }

    /// An orchestrator's secrets are links to files: a link's own mode is always 777.
    @Test func `of a link the file that it leads to counts`() throws {
        try installation.write("secret", "s")
        let link = installation.path("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: installation.path("secret"))
        #expect(fault("link") == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: installation.path("secret"))
        #expect(fault("link") != nil)
    }

    @Test func `a file that is not there has no fault of this kind`() {
        #expect(fault("nowhere") == nil)
    }

    /// With a replacement character for each, they would be others, and 11 random bytes more than 32.
    @Test(arguments: ["auth", "masterKeyFile", "catalogFiles", "clients"])
    func `bytes that are no text are refused, not repaired`(_ section: String) throws {
        let bytes = Data([0xFF] + Array("first:".utf8) + [UInt8](repeating: 0x80, count: 40))
        try bytes.write(to: URL(fileURLWithPath: installation.path("binary")))
        let texts = [
            "auth": "{ issuer: i, audience: a, hmacSecretFile: binary }", "masterKeyFile": "binary",
            "catalogFiles": "[types.yaml, binary]", "clients": "{ wikis: { clientId: a, clientSecretFile: binary } }",
        ]
        let findings = try installation.findings([section: texts[section]])
        #expect(findings.count == 1 && findings[0].contains("it is not UTF-8"), "\(findings)")
    }
}
