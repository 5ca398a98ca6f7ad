import Formats
package import StrictYAML

/// The files that settings name. A finding has a file's name alone, and nothing of what is in it.
extension ConfigurationReader {
    /// The bytes of a file that a setting names; `nil` (and a finding) where it cannot be read.
    package func contents(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        read(file, of: name, in: reader, wanted: wanted) { $0.bytes }
    }

    /// The same, of a file in UTF-8.
    package func text(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> String? {
        read(file, of: name, in: reader, wanted: wanted) { file throws(UnreadableFile) in try file.text() }
    }

    private func read<Value>(
        _ file: String, of name: String, in reader: YAMLReader, wanted: String,
        as value: (ReadFile) throws(UnreadableFile) -> Value
    ) -> Value? {
        do throws(UnreadableFile) {
            return try value(ReadFile(settings.absolute(file)))
        } catch {
            reader.problem(
                name, found: "\(file.quoted), which cannot be read (\(error.reason))", wanted: "a file with \(wanted)")
            return nil
        }
    }

    /// The same, of a file with something secret in it: who else can read it is looked at later.
    package func secretContents(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        note(secretFile: file, of: name, in: reader)
        return contents(file, of: name, in: reader, wanted: wanted)
    }

    /// Has a file looked at later, for who else can read it.
    package func note(secretFile file: String, of name: String, in reader: YAMLReader) {
        notes.secretFiles.append(
            SecretFile(setting: (reader.path + [name]).joined(separator: "."), path: settings.absolute(file)))
    }

    /// A file with one line of secret text in UTF-8, without the white space around it.
    package func secret(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        note(secretFile: file, of: name, in: reader)
        let line = read(file, of: name, in: reader, wanted: wanted) { file throws(UnreadableFile) in try file.line() }
        guard let text = line else { return nil }
        guard !text.isEmpty else {
            reader.problem(name, found: file.quoted + ", which is empty", wanted: "a file with \(wanted)")
            return nil
        }
        return Array(text.utf8)
    }
}
