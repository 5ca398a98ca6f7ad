import ArgumentParser
import Foundation

/// The program. Each subcommand is a type of its own; `serve` is the broker.
@main
struct Cloakroom: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "cloakroom",
        abstract: "An OAuth credential broker: sends users to providers, keeps what they grant, hands it out once.",
        version: version,
        subcommands: [
            Serve.self, Demo.self, Check.self, Sources.self, KeysCommand.self, RevokeCommand.self, AuditCommand.self,
            ClientsCommand.self, MasterKeyCommand.self, Doctor.self, Backup.self, Restore.self, TokenCommand.self,
        ])

    /// Replaces ArgumentParser's own, whose status for bad usage is sysexits' 64, and which would print our errors as
    /// Swift describes them.
    static func main() async {
        do {
            var command = try parseAsRoot()
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
            tell(error)
            // Not `exit`, which would run what C libraries registered while other threads still use them.
            _exit(exitStatus(for: error))
        }
    }

    /// 0 done, 1 refused or failed, 2 bad usage. Help and the version come as errors too, and are none.
    static func exitStatus(for error: any Error) -> Int32 {
        if error is Refusal { return 1 }
        let status = exitCode(for: error)
        return status.isSuccess ? 0 : status == .validationFailure ? 2 : 1
    }

    private static func tell(_ error: any Error) {
        if let refusal = error as? Refusal {
            for line in refusal.lines { Terminal.error(line) }
            return
        }
        let message = fullMessage(for: error)
        if exitStatus(for: error) == 0 {
            Terminal.result(message)
        } else if !message.isEmpty {
            Terminal.write(message)
        }
    }
}
