import Assets
import Foundation
import Testing

@testable import AssetReaders

/// Children are real ones: shells that behave as broken readers would.
@Suite struct ChildProcessTests {
    private func shell(_ script: String, _ limits: ChildProcess.Limits = .init()) -> ChildProcess {
        ChildProcess(program: "/bin/sh", arguments: ["-c", script], limits: limits)
    }

    @Test func `a child gets the input and gives its output`() async throws {
        let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try await shell("cat").run(input) == input)
    }

    @Test func `a child has nothing of our environment and no descriptor of ours`() async throws {
        setenv("CLOAKROOM_TEST_SECRET", "seen", 1)
        let output = String(decoding: try await shell("env; ls /proc/self/fd | wc -l; pwd").run([]), as: UTF8.self)
        #expect(!output.contains("seen") && output.contains("\n4\n") && output.hasSuffix("/\n"))
    }

    @Test func `a child that does not read its input is none of our troubles`() async throws {
        let input = [UInt8](repeating: 7, count: 10_000_000)
        #expect(try await shell("exec <&-; echo done").run(input) == Array("done\n".utf8))
    }

    @Test(arguments: [
        ("exit 3", ChildProcess.Fault.failed(status: 3, said: "")),
        ("echo no >&2; exit 1", .failed(status: 1, said: "no\n")),
        ("kill -SEGV $$", .killed),
        ("while :; do echo more; done", .outputTooLarge),
        ("sleep 100", .timedOut),
        ("sleep 100 & exec >&-; wait", .timedOut),
    ])
    func `what goes wrong has its own fault`(_ script: String, _ fault: ChildProcess.Fault) async {
        var limits = ChildProcess.Limits()
        limits.output = 100_000
        limits.time = .seconds(2)
        await #expect(throws: fault) { try await shell(script, limits).run([]) }
    }

    @Test func `a child that wants more memory or processor than it may is ended`() async {
        var limits = ChildProcess.Limits()
        limits.memory = 64 << 20
        limits.seconds = 1
        await #expect(throws: ChildProcess.Fault.self) {
            try await shell("a=x; while :; do a=$a$a; done", limits).run([])
        }
        await #expect(throws: ChildProcess.Fault.killed) { try await shell("while :; do :; done", limits).run([]) }
    }

    @Test func `a program that is not there is no output`() async {
        await #expect(throws: ChildProcess.Fault.self) {
            try await ChildProcess(program: "/nowhere/tool", arguments: []).run([])
        }
    }

    @Test func `cancelling ends the child`() async {
        let task = Task { () -> ChildProcess.Fault? in
            do throws(ChildProcess.Fault) {
                _ = try await shell("sleep 1000").run([])
                return nil
            } catch { return error }
        }
        task.cancel()
        #expect(await task.value == .cancelled)
    }
}
