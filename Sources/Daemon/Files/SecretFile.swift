import Foundation

/// A file with something secret in it, and the setting that names it.
package struct SecretFile: Sendable {
    /// The setting, such as `auth.hmacSecretFile`.
    package let setting: String
    /// The file, from the root.
    package let path: String

    /// Reads nothing.
    package init(setting: String, path: String) {
        self.setting = setting
        self.path = path
    }

    /// A line that says who besides this process can read it; `nil` where nobody can, or there is no such file.
    package var fault: String? {
        // Where links lead: an orchestrator's secrets are links to files.
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let found = try? FileManager.default.attributesOfItem(atPath: real),
            let owner = found[.ownerAccountID] as? Int, let mode = found[.posixPermissions] as? Int
        else { return nil }
        // In full: where it is cut short, nobody knows which one it is.
        let file = "\(setting): \"\(path)\""
        guard owner == Int(geteuid()) || owner == 0 else {
            return "\(file) belongs to another user, who can read and replace it"
        }
        let open = mode & 0o077
        if open == 0 || (open == 0o040 && Self.isGivenToUs(owner: owner, group: found[.groupOwnerAccountID] as? Int)) {
            return nil
        }
        return "\(file) has the mode \(String(mode & 0o777, radix: 8)): others can read it"
    }

    /// A chmod alone closes nothing: the secret is known to whoever looked before.
    package static let hint = "chmod 600 it, and replace what it holds: who read it may have kept it"

    /// Tells whether root gave a file to the group that the service runs as, as Kubernetes does with `fsGroup`.
    private static func isGivenToUs(owner: Int, group: Int?) -> Bool {
        guard owner == 0, geteuid() != 0, let group else { return false }
        var groups = [gid_t](repeating: 0, count: 256)
        let count = getgroups(Int32(groups.count), &groups)
        return ([getegid()] + groups.prefix(max(0, Int(count)))).contains { Int($0) == group }
    }
}
