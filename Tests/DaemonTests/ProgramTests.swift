import ArgumentParser
import Daemon
import Testing

/// Docs/Reference.md#commands: 0 done, 1 refused or failed, 2 bad usage.
@Suite struct ProgramTests {
    private struct Root: AsyncParsableCommand {}

    private static func status(of error: any Error) -> Int32 { Program.exitStatus(for: error, of: Root.self) }

    @Test func `what is refused is no bad usage`() {
        #expect(Self.status(of: Refusal("no")) == 1)
        #expect(Self.status(of: ExitCode(1)) == 1)
        #expect(Self.status(of: CancellationError()) == 1)
        #expect(Self.status(of: ValidationError("no")) == 2)
        #expect(Self.status(of: CleanExit.message("done")) == 0)
    }

    @Test func `a refusal has its hint in a line of its own`() {
        #expect(Refusal("no", hint: "do this").lines == ["no", "hint: do this"])
        #expect(Refusal("no").lines == ["no"])
    }
}
