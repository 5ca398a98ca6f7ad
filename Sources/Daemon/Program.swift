package import ArgumentParser
import Foundation
import NIOCore

/// A program of subcommands: runs the one that its arguments name, and ends with a status that says how it went.
package enum Program {
    /// Replaces ArgumentParser's own `main`, whose status for bad usage is sysexits' 64, and which would print our
    /// errors as Swift describes them.
    ///
    /// - Parameter root: the program's first command, which knows all others.
    package static func run<Root: AsyncParsableCommand>(_ root: Root.Type) async {
        // Half of the cores: what goes from thread to thread costs more than it gains, and the thread that writes and
        // libcurl's want theirs too.
        NIOSingletons.groupLoopCountSuggestion = max(1, System.coreCount / 2)
        // Times are told in UTC. A calendar asks for the machine's time zone unless told, and that would be the one use of
        // ICU at rest: 1 MiB of code and tables in memory.
        if let utc = TimeZone(secondsFromGMT: 0) { NSTimeZone.default = utc }
        do {
            var command = try root.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            LogOutput.standardError.flush()
        } catch {
            LogOutput.standardError.flush()
            // What was printed as a result stands before the reason.
            fflush(nil)
            tell(error, of: root)
            // Not `exit`, which would run what C libraries registered while other threads still use them.
            _exit(exitStatus(for: error, of: root))
        }
    }

    /// 0 done, 1 refused or failed, 2 bad usage. Help and the version come as errors too, and are none.
    package static func exitStatus<Root: ParsableCommand>(for error: any Error, of root: Root.Type) -> Int32 {
        if error is Refusal { return 1 }
        let status = root.exitCode(for: error)
        return status.isSuccess ? 0 : status == .validationFailure ? 2 : 1
    }

    private static func tell<Root: ParsableCommand>(_ error: any Error, of root: Root.Type) {
        if let refusal = error as? Refusal {
            for line in refusal.lines { Terminal.error(line) }
            return
        }
        let message = root.fullMessage(for: error)
        if exitStatus(for: error, of: root) == 0 {
            Terminal.result(message)
        } else if !message.isEmpty {
            Terminal.write(message)
        }
    }
}

/// The configuration that a command reads, by its file's name.
package struct ConfigurationOption: ParsableArguments {
    /// The file; `nil`: the environment says everything.
    @Option(name: .long, help: "The configuration file. Without one, the environment alone is read.")
    package var config: String?

    /// For ArgumentParser.
    package init() {}
}
