import Foundation
import Testing

@testable import AssetReaders

struct ChildProcessTests {
    @Test func `a child is fed and heard at once, however much it is`() async throws {
        let input = [UInt8](repeating: 0x61, count: 3_000_000)
        let outcome = try await run("exec cat", on: input)
        #expect(outcome.output == input)
        #expect(outcome.status == 0)
    }

    @Test func `the status and the beginning of the complaints are told`() async throws {
        let outcome = try await run("yes | head -c 10000 >&2; exit 7")
        #expect(outcome.status == 7)
        #expect(outcome.complaints == Array(String(repeating: "y\n", count: 2048).utf8))
    }

    @Test func `a child that does not read its input is heard all the same`() async throws {
        let outcome = try await run("exec echo done", on: [UInt8](repeating: 0x61, count: 3_000_000))
        #expect(outcome.output == Array("done\n".utf8))
    }

    @Test func `a child inherits no environment, no descriptor and no folder`() async throws {
        let environment = try await ChildProcess(["/usr/bin/env"], limits: .init(), slots: ChildSlots(1)).run(on: [])
        #expect(String(decoding: environment.output, as: UTF8.self) == "LANG=C.UTF-8\nPATH=/usr/bin:/bin\n")
        // The fourth is the folder's own.
        let descriptors = try await ChildProcess(["/bin/ls", "/proc/self/fd"], limits: .init(), slots: ChildSlots(1))
            .run(on: [])
        #expect(String(decoding: descriptors.output, as: UTF8.self) == "0\n1\n2\n3\n")
        #expect(try await run("pwd").output == Array("/\n".utf8))
    }

    @Test(arguments: ["exec sleep 1000", "exec >&- 2>&-; sleep 1000", "sleep 1000 & exit 0"])
    func `a child that hangs is ended`(_ script: String) async throws {
        var limits = ChildProcess.Limits()
        limits.time = .milliseconds(300)
        await #expect(throws: ExtractionFault.timedOut) { try await run(script, limits: limits) }
    }

    @Test(.timeLimit(.minutes(1))) func `a child that leaves its group is ended`() async throws {
        var limits = ChildProcess.Limits()
        limits.time = .milliseconds(500)
        let child = ChildProcess(
            ["/usr/bin/perl", "-e", "setpgrp(0, getpgrp(getppid())) or die; sleep 1000"], limits: limits,
            slots: ChildSlots(1))
        await #expect(throws: ExtractionFault.timedOut) { try await child.run(on: []) }
    }

    @Test func `a child that computes for too long is ended`() async throws {
        var limits = ChildProcess.Limits()
        limits.processorSeconds = 1
        await #expect(throws: ExtractionFault.timedOut) { try await run("while :; do :; done", limits: limits) }
    }

    @Test func `a child has no more memory than it may`() async throws {
        var limits = ChildProcess.Limits()
        limits.memory = 64 << 20
        let outcome = try await run("head -c 200000000 /dev/zero | tail -c 150000000", limits: limits)
        #expect(outcome.status != 0)
    }

    @Test func `a child that writes without end is ended`() async throws {
        var limits = ChildProcess.Limits()
        limits.output = 100_000
        await #expect(throws: ExtractionFault.tooMuchText) { try await run("exec yes", limits: limits) }
    }

    @Test func `a child that complains without end is ended`() async throws {
        var limits = ChildProcess.Limits()
        limits.time = .milliseconds(300)
        await #expect(throws: ExtractionFault.timedOut) { try await run("exec yes >&2", limits: limits) }
    }

    @Test func `a child that crashes is told from one that complains`() async throws {
        await #expect(throws: ExtractionFault.crashed) { try await run("kill -SEGV $$") }
    }

    @Test func `a program that is not there is told`() async throws {
        let child = ChildProcess(["/nonexistent/program"], limits: .init(), slots: ChildSlots(1))
        #expect(try await child.run(on: []).status == 127)
    }

    @Test func `cancellation ends the child`() async throws {
        let pipe = NSTemporaryDirectory() + "/" + UUID().uuidString
        #expect(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        let task = Task { try await run("echo started >'\(pipe)'; exec sleep 1000") }
        // Opens once the child has, and ends once it has written.
        let line = await Task.detached {
            (try? FileHandle(forReadingFrom: URL(fileURLWithPath: pipe)).readToEnd()) ?? nil
        }.value
        #expect(line == Data("started\n".utf8))
        task.cancel()
        await #expect(throws: ExtractionFault.cancelled) { try await task.value }
    }

    @Test func `a child of a cancelled task is not started`() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await run("exec sleep 1000")
        }
        await #expect(throws: ExtractionFault.cancelled) { try await task.value }
    }

    /// Each child notes its coming and going; with one place no two are there at once.
    @Test func `no more children run at once than there are places`() async throws {
        let folder = NSTemporaryDirectory() + "/" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = try ScriptFixture("mkdir '\(folder)' && rmdir '\(folder)' && echo alone")
        let child = ChildProcess([script.path], limits: .init(), slots: ChildSlots(1))
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<20 { group.addTask { try await child.run(on: []).output } }
            for try await output in group { #expect(output == Array("alone\n".utf8)) }
        }
    }

    private func run(
        _ script: String, on input: [UInt8] = [], limits: ChildProcess.Limits = .init()
    ) async throws -> ChildProcess.Outcome {
        try await ChildProcess(["/bin/sh", "-c", script], limits: limits, slots: ChildSlots(1)).run(on: input)
    }
}
