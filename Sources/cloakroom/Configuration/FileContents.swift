import Broker
import Catalog
import Formats
import Foundation

/// The files that settings name. A finding has a file's name alone, and nothing of what is in it.
extension ConfigurationReader {
    /// The bytes of a file that a setting names; `nil` (and a finding) where it cannot be read.
    func contents(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: settings.absolute(file))) else {
            reader.problem(
                name, found: file.quoted + ", which cannot be read", wanted: "a file with \(wanted)")
            return nil
        }
        return [UInt8](data)
    }

    /// The same, of a file with something secret in it: who else can read it is looked at later.
    func secretContents(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        notes.secretFiles.append(
            SecretFile(setting: (reader.path + [name]).joined(separator: "."), path: settings.absolute(file)))
        return contents(file, of: name, in: reader, wanted: wanted)
    }

    /// A file with one line of secret text; the line's end is not part of it.
    func secret(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        guard let bytes = secretContents(file, of: name, in: reader, wanted: wanted) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else {
            reader.problem(name, found: file.quoted + ", which is empty", wanted: "a file with \(wanted)")
            return nil
        }
        return Array(text.utf8)
    }
}
