import Glibc
import Secrets

/// A program that takes a stranger's document apart, in a process of its own with limits of time and memory: whatever a
/// bad document does to it, the service goes on.
///
/// It inherits no descriptor and no environment, is fed through its standard input, and is killed with all that it has
/// started. `prlimit` (util-linux) sets its limits before it begins.
struct ChildProcess: Sendable {
    /// The bounds of one run.
    struct Limits: Sendable {
        /// Of the clock on the wall.
        var time = Duration.seconds(60)
        /// Of the processor, in seconds.
        var processorSeconds = 60
        /// Of its address space, in bytes.
        var memory = 1 << 30
        /// Of what it writes, in bytes.
        var output = 64 << 20
    }

    /// What became of a run that ended by itself.
    struct Outcome: Sendable {
        var status: Int32
        var output: [UInt8]
        /// The beginning of what it wrote to its standard error.
        var complaints: [UInt8]
    }

    /// The command that sets the limits.
    static let limiter = "/usr/bin/prlimit"

    private let command: [String]
    private let limits: Limits
    private let slots: ChildSlots

    /// - Parameters:
    ///   - command: the path of the program, and its arguments.
    ///   - slots: those that it shares with other programs.
    init(_ command: [String], limits: Limits, slots: ChildSlots) {
        self.command = command
        self.limits = limits
        self.slots = slots
    }

    /// Runs the program on `input`. Cancellation kills it.
    func run(on input: [UInt8]) async throws(ExtractionFault) -> Outcome {
        await slots.take()
        defer { slots.giveBack() }
        let kill = ChildKill()
        let result = await withTaskCancellationHandler {
            await blocking { [arguments, limits] in
                Result { () throws(ExtractionFault) in
                    let spawned = try SpawnedChild(arguments, kill: kill)
                    return try ChildExchange(with: spawned, limits: limits, kill: kill).run(on: input)
                }
            }
        } onCancel: {
            kill.cancel()
        }
        guard !kill.isCancelled else { throw .cancelled }
        return try result.get()
    }

    private var arguments: [String] {
        // The soft limit comes first, with a signal that tells it from a crash.
        let seconds = limits.processorSeconds
        return [Self.limiter, "--as=\(limits.memory)", "--cpu=\(seconds):\(seconds + 5)", "--core=0", "--"] + command
    }

    /// Tells whether there is such a program.
    static func exists(_ path: String) -> Bool { path.hasPrefix("/") && access(path, X_OK) == 0 }
}
