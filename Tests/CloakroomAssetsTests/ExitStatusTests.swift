import ArgumentParser
import Daemon
import Testing

@testable import cloakroom_assets

/// 0 done, 1 refused or failed, 2 bad usage.
@Suite struct ExitStatusTests {
    private static func status(_ arguments: [String]) async -> Int32 {
        do {
            var command = try CloakroomAssets.parseAsRoot(arguments)
            try command.run()
            return 0
        } catch {
            return Program.exitStatus(for: error, of: CloakroomAssets.self)
        }
    }

    @Test(arguments: [["--help"], ["--version"], ["serve", "--help"], ["check", "--help"]])
    func `help is no failure`(_ arguments: [String]) async {
        #expect(await Self.status(arguments) == 0)
    }

    @Test(arguments: [["nonsense"], ["serve", "stray"], ["check", "--nonsense"], ["check", "--config"]])
    func `bad usage is told before anything is done`(_ arguments: [String]) async {
        #expect(await Self.status(arguments) == 2)
    }

    /// Changes nothing: it may be another program's.
    @Test func `a database that could not be opened is refused`() async throws {
        let installation = try Installation()
        for url in ["sqlite:service.pem", "sqlite:nowhere/assets.db"] {
            _ = try installation.configuration(["storage": "{ url: \"\(url)\" }"])
            #expect(await Self.status(["check", "--config", installation.path("assets.yaml")]) == 1, "\(url)")
        }
    }

    @Test func `a sound configuration is checked, and a wrong one refused`() async throws {
        let installation = try Installation()
        _ = try installation.configuration()
        #expect(await Self.status(["check", "--config", installation.path("assets.yaml")]) == 0)
        _ = try installation.findings(["chunking": "{ size: 1 }"])
        #expect(await Self.status(["check", "--config", installation.path("assets.yaml")]) == 1)
        #expect(await Self.status(["check", "--config", installation.path("nowhere.yaml")]) == 1)
    }
}
