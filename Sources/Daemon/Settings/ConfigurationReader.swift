package import StrictYAML

/// Turns settings into a configuration, and says all that is wrong at once.
///
/// Each section has a method in a file of its own: here those that services share, and in a program its own. What is
/// wrong goes to `findings`, and the reading goes on with a value that causes no second finding.
package struct ConfigurationReader {
    /// The settings as they were written.
    package let settings: Settings
    /// All that is wrong.
    package let findings: Findings
    /// All that is worth a word.
    package let notes: Notes

    /// Findings that refuse nothing, and the files that were read on the way.
    package final class Notes {
        /// Lines on what an operator should know but need not mend.
        package var remarks: [String]
        /// Those that were read.
        package internal(set) var secretFiles: [SecretFile] = []

        init(remarks: [String]) { self.remarks = remarks }
    }

    /// What `configuration` makes of a program's settings, or a refusal with a line for each thing that is wrong.
    ///
    /// - Parameters:
    ///   - names: the program's settings.
    ///   - configuration: reads all sections; `nil` where something that it needs was found missing or wrong.
    package static func read<Configuration>(
        _ names: SettingNames, file: String?, environment: [String: String],
        _ configuration: (ConfigurationReader) -> Configuration?
    ) throws(Refusal) -> Configuration {
        let findings = Findings()
        guard let settings = Settings(file: file, environment: environment, names: names, findings: findings) else {
            throw Refusal(findings.lines)
        }
        let reader = ConfigurationReader(
            settings: settings, findings: findings, notes: Notes(remarks: settings.remarks))
        let made = configuration(reader)
        settings.top.finish()
        guard let made, findings.lines.isEmpty else { throw Refusal(findings.lines) }
        return made
    }

    /// A section that is absent, or no mapping (a finding then), reads as an empty one.
    package func section(_ name: String) -> YAMLReader {
        settings.top.section(name) ?? settings.top.emptySection(name)
    }
}
