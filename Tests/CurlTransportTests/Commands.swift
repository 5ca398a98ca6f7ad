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
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    if let folder { process.currentDirectoryURL = folder }
    let output = Pipe()
    let errors = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    let message = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw CommandFailure(
            command: command.joined(separator: " "), output: String(decoding: message, as: UTF8.self))
    }
    return Array(bytes)
}

/// A gzip stream that unpacks to so many zeros: about a thousandth of their number.
func gzip(zeros count: Int) async throws -> [UInt8] {
    try await run(["sh", "-c", "head -c \(count) /dev/zero | gzip -9 -c"])
}
