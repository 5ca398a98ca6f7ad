import Foundation

struct CommandFailure: Error {
    var command: String
    var output: String
}

/// Does blocking work on a thread of its own: the pool of the concurrency runtime may have two threads, and all tests
/// run on it.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// Runs a command of the system to its end and returns what it printed.
@discardableResult
func run(_ command: [String], in folder: URL? = nil) async throws -> [UInt8] {
    try await blocking { try runBlocking(command, in: folder) }
}

private func runBlocking(_ command: [String], in folder: URL?) throws -> [UInt8] {
    let child = try Child(command, in: folder)
    let bytes = try child.output.fileHandleForReading.readToEnd() ?? Data()
    let message = try child.errors.fileHandleForReading.readToEnd() ?? Data()
    guard child.waitUntilExit() == 0 else {
        throw CommandFailure(
            command: command.joined(separator: " "), output: String(decoding: message, as: UTF8.self))
    }
    return Array(bytes)
}

/// A running command of the system. Whoever starts it waits for its exit.
///
/// Not Foundation's `Process`: it lists the open descriptors, and crashed while other tests had a thousand of them.
struct Child: Sendable {
    let processIdentifier: pid_t
    let output = Pipe()
    let errors = Pipe()

    init(_ command: [String], in folder: URL?) throws {
        // Else the pipes stay open in whatever starts next, for as long as it runs.
        for end in [output, errors].flatMap({ [$0.fileHandleForReading, $0.fileHandleForWriting] }) {
            _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        let command = ["env"] + (folder.map { ["--chdir", $0.path(percentEncoded: false)] } ?? []) + command
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.fileHandleForWriting.fileDescriptor, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errors.fileHandleForWriting.fileDescriptor, STDERR_FILENO)
        let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
        var child: pid_t = 0
        let error = withCStrings(command) { arguments in
            withCStrings(environment) { posix_spawn(&child, "/usr/bin/env", &actions, nil, arguments, $0) }
        }
        guard error == 0 else {
            throw CommandFailure(command: command.joined(separator: " "), output: String(cString: strerror(error)))
        }
        processIdentifier = child
        // Else the end of what the child prints is never seen.
        try output.fileHandleForWriting.close()
        try errors.fileHandleForWriting.close()
    }

    /// Waits, and returns `waitpid`'s status: 0 after success.
    @discardableResult
    func waitUntilExit() -> Int32 {
        var status: Int32 = 0
        while waitpid(processIdentifier, &status, 0) < 0, errno == EINTR {}
        return status
    }
}

/// The strings as C has them, with a null pointer at the end, for as long as `body` runs.
private func withCStrings<Value>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Value
) rethrows -> Value {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return try body(copies)
}

/// A gzip stream that unpacks to so many zeros: about a thousandth of their number.
func gzip(zeros count: Int) async throws -> [UInt8] {
    try await run(["sh", "-c", "head -c \(count) /dev/zero | gzip -9 -c"])
}
