import ArgumentParser
import Daemon
import Testing

@testable import cloakroom

/// Docs/Reference.md#commands: 0 done, 1 refused or failed, 2 bad usage.
@Suite struct ExitStatusTests {
    private static func status(_ arguments: [String]) -> Int32 {
        do {
            _ = try Cloakroom.parseAsRoot(arguments)
            return 0
        } catch {
            return Program.exitStatus(for: error, of: Cloakroom.self)
        }
    }

    @Test(arguments: [
        ["--help"], ["--version"], ["serve", "--help"], ["audit", "verify", "--help"],
        ["audit", "--since", "12h", "--limit", "1"], ["revoke", "--all", "--reason", "r"],
        ["revoke", "--id", "-begins-with-a-hyphen", "--reason", "r"], ["demo", "--port", "65533"],
        ["clients", "set", "--tenant", "t", "--source-type", "s", "--client-id", "-c", "--parameter", "a=b=c"],
    ])
    func `help and good usage are no failure`(_ arguments: [String]) {
        #expect(Self.status(arguments) == 0)
    }

    @Test(arguments: [
        ["nonsense"], ["serve", "--nonsense"], ["serve", "stray"], ["revoke", "--all"],
        ["revoke", "--reason", "r"], ["revoke", "--reason", "r", "--all", "--tenant", "t"],
        ["audit", "--limit", "0"], ["audit", "--since", "yesterday"], ["audit", "--since", "-1h"],
        ["audit", "reset"], ["audit", "reset", "--reason", ""],
        ["audit", "reset", "--reason", String(repeating: "x", count: 501)],
        ["clients", "set", "--tenant", "t", "--source-type", "s", "--client-id", "c", "--parameter", "ab"],
        ["clients", "show", "--tenant", "t"], ["sources", "try", "wiki", "--parameter", "ab"],
        ["demo", "--port", "0"], ["demo", "--port", "65534"], ["demo", "--log-level", "loud"],
        ["token"], ["token", "--key", "f", "--lifetime", "0"], ["backup"], ["restore"], ["master-key", "retire"],
    ])
    func `bad usage is told before anything is done`(_ arguments: [String]) {
        #expect(Self.status(arguments) == 2)
    }
}
