import Assets
import Secrets

/// A program that takes a hostile file apart, in a process of its own: should it crash, hang or eat memory, that is all
/// that happens.
struct ChildProcess: Sendable {
    /// The bounds of one run.
    struct Limits: Sendable {
        /// In bytes, of address space.
        var memory = 1 << 30
        /// Of the processor.
        var seconds = 30
        /// From start to end.
        var time: Duration = .seconds(60)
        /// In bytes.
        var output = 256 << 20
    }

    /// A reason why there is no output.
    enum Fault: Error, Equatable {
        /// The program is not there, or the system has no process to give.
        case notStarted
        case timedOut
        case outputTooLarge
        /// It ended with another status than 0; `said` is the beginning of its error output.
        case failed(status: Int32, said: String)
        /// A signal ended it: it crashed, or met a limit.
        case killed
        case cancelled
    }

    /// The path of the program.
    let program: String
    let arguments: [String]
    var limits = Limits()

    /// Gives the program `input`, and returns what it printed. Cancelling the task kills it.
    func run(_ input: [UInt8]) async throws(Fault) -> [UInt8] {
        let run = ChildRun()
        let result = await withTaskCancellationHandler {
            await blocking { run.run(self, input) }
        } onCancel: {
            run.cancel()
        }
        return try result.get()
    }

    /// util-linux has it on every Debian: the limits hold before the program's first instruction.
    private static let prlimit = "/usr/bin/prlimit"

    var commandLine: [String] {
        [
            Self.prlimit, "--as=\(limits.memory)", "--cpu=\(limits.seconds)", "--core=0", "--nofile=32", "--fsize=0",
            "--", program,
        ] + arguments
    }
}
