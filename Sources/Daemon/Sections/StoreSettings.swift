import Formats
package import Secrets
package import StrictYAML

/// The store: its place, and the keys that seal what is in it.
extension ConfigurationReader {
    /// The path of the section `storage`.
    ///
    /// - Parameter usual: the one where none is set.
    package func storePath(usual: String) -> String? {
        let storage = section("storage")
        defer { storage.finish() }
        return sqlitePath(storage.string("url") ?? usual, in: storage, wanted: "sqlite:PATH, a file")
    }

    /// The file that an address names; `nil` (and a finding) where it is of another kind.
    ///
    /// - Parameters:
    ///   - storage: the section that the address is in.
    ///   - wanted: what the program takes.
    package func sqlitePath(_ text: String, in storage: YAMLReader, wanted: String) -> String? {
        let path = text.hasPrefix("sqlite:") ? String(text.dropFirst("sqlite:".count)) : ""
        // `:memory:` and `file:` would be read by SQLite, not by the file system.
        guard !path.isEmpty, !path.hasPrefix(":"), !path.hasPrefix("file:") else {
            // The scheme alone: the rest of a database address may hold a password.
            let scheme = text.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
            let found =
                text.hasPrefix("sqlite:")
                ? text.quoted : "an address with the scheme \(scheme.quoted)"
            storage.problem("url", found: found, wanted: wanted)
            return nil
        }
        return settings.absolute(path)
    }

    /// The keys in `masterKeyFile`, and the state of the file that they are of.
    package func keyRing() -> (ring: KeyRing, file: MasterKeyFile.State)? {
        let top = settings.top
        let wanted = MasterKeyFile.wanted
        guard let file = top.required("masterKeyFile", "a file with \(wanted)") else { return nil }
        note(secretFile: file, of: "masterKeyFile", in: top)
        let keys = MasterKeyFile(path: settings.absolute(file))
        do throws(MasterKeyFile.Fault) {
            let found = try keys.look()
            return (found.ring, MasterKeyFile.State(file: keys, stamp: found.stamp))
        } catch {
            top.problem("masterKeyFile", found: error.finding(of: file.quoted), wanted: "a file with \(wanted)")
            return nil
        }
    }
}
