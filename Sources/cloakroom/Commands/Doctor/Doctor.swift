import ArgumentParser
import Broker
import Daemon
import Formats

/// Prints an ``Examination``. It needs no running broker, but says so where none answers at the public address.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check an installation: files, database, clock, public address, and each provider.",
        discussion: "Changes nothing. Exit status 0 where nothing has to be done, else 1.")

    @OptionGroup var options: ConfigurationOption

    @Flag(name: .long, help: "Print JSON, for programs.")
    var json = false

    func run() async throws {
        let configuration = try ConfigurationReader.configuration(file: options.config)
        let examination = Examination(configuration)
        let findings = try await Progress.showing("examining") { await examination.findings() }
        if json {
            let items = findings.map { finding in
                JSONValue.object([
                    "subject": .string(finding.subject), "ok": .bool(finding.level != .fail),
                    "level": .string(finding.level.rawValue), "finding": .string(finding.words),
                    "hint": finding.hint.map(JSONValue.string) ?? .null,
                ])
            }
            Terminal.json(items)
        } else {
            for finding in findings {
                Terminal.result("\(finding.level.mark)  \(finding.subject): \(finding.words)".visible)
                if let hint = finding.hint { Terminal.result("      hint: \(hint)".visible) }
            }
        }
        if findings.contains(where: { $0.level == .fail }) { throw ExitCode(1) }
    }
}
