import Secrets

extension CredentialKey {
    /// Lets secret scanners and people recognise a leaked key.
    static let prefix = "ckr_"

    static func make() -> CredentialKey { .random(prefix: prefix) }
}
