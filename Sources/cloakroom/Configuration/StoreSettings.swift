import Broker
import Catalog
import Formats
import Secrets
import StrictYAML

/// The store: its place, the keys that seal what is in it, and how long that stays.
extension ConfigurationReader {
    func storePath() -> String? {
        let storage = section("storage")
        defer { storage.finish() }
        let text = storage.string("url") ?? "sqlite:cloakroom.db"
        let path = text.hasPrefix("sqlite:") ? String(text.dropFirst("sqlite:".count)) : ""
        // `:memory:` and `file:` would be read by SQLite, not by the file system.
        guard !path.isEmpty, !path.hasPrefix(":"), !path.hasPrefix("file:") else {
            // The scheme alone: the rest of a database address may hold a password.
            let scheme = text.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
            let found =
                text.hasPrefix("sqlite:")
                ? text.quoted : "an address with the scheme \(scheme.quoted)"
            storage.problem("url", found: found, wanted: "sqlite:PATH, a file; this version has no other store")
            return nil
        }
        return settings.absolute(path)
    }

    func keyRing() -> (ring: KeyRing, file: MasterKeyFile.State)? {
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

    /// In seconds.
    func lifetimes() -> (state: Int64, credentialKey: Int64, auditEvents: Int64) {
        let lifetimes = section("lifetimes")
        let state = lifetimes.integer("state", in: 1...86_400) ?? 600
        let credentialKey = lifetimes.integer("credentialKey", in: 1...86_400) ?? 300
        // A day to ten years; the trail tells of spent keys for longer than the flows do.
        let auditEvents = lifetimes.integer("auditEvents", in: 86_400...315_360_000) ?? 90 * 86_400
        lifetimes.finish()
        return (Int64(state), Int64(credentialKey), Int64(auditEvents))
    }
}
