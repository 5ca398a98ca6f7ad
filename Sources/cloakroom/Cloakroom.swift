import ArgumentParser
import Foundation

/// The program.
@main
struct Cloakroom: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "cloakroom",
        abstract: "An OAuth credential broker: sends users to providers, keeps what they grant, hands it out once.",
        version: version,
        subcommands: [
            Serve.self, Demo.self, Check.self, Sources.self, KeysCommand.self, RevokeCommand.self, AuditCommand.self,
            ClientsCommand.self, MasterKey.self, Doctor.self, Backup.self, Restore.self, TokenCommand.self,
        ])

    /// Exit status: 0 done, 1 refused or failed, 2 bad usage.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let refusal as Refusal {
            // What was printed as a result stands before the reason.
            fflush(nil)
            for line in refusal.lines { Terminal.error(line) }
            _exit(1)
        } catch {
            fflush(nil)
            let status = exitCode(for: error)
            let message = fullMessage(for: error)
            if status.isSuccess {
                Terminal.result(message)
            } else if !message.isEmpty {
                Terminal.write(message)
            }
            _exit(status.isSuccess ? 0 : status == .validationFailure ? 2 : 1)
        }
    }
}

/// Why a command did not do its work: one line each, lower case, what to do included.
struct Refusal: Error {
    var lines: [String]
    /// The redirect address to register first, where a broker told one.
    var redirectURI: String?

    init(_ lines: [String]) { self.lines = lines }

    init(_ line: String, hint: String? = nil) {
        lines = [line] + (hint.map { ["hint: \($0)"] } ?? [])
    }
}
