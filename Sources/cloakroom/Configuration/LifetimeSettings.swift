import Daemon
import StrictYAML

/// The time for which what is in the store stays.
extension ConfigurationReader {
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
