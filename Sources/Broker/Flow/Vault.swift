import Secrets

/// Seals credentials so that they open only with their credential key, and keys so that they open only with the
/// exchange verifier. The master key is needed too, and never enough.
struct Vault: Sendable {
    let keyRing: KeyRing

    /// Seals credentials under both the master key and the credential key: a thief of the database and the master key
    /// still lacks the latter.
    func seal(_ json: SecretBytes, at placement: Placement, under key: CredentialKey) -> Sealed<Credentials> {
        keyRing.seal(json, as: Label("credentials"), context: placement.context, under: bytes(of: key))
    }

    func open(
        _ sealed: Sealed<Credentials>, at placement: Placement, under key: CredentialKey
    ) throws(OpenError) -> SecretBytes {
        try keyRing.open(sealed, as: Label("credentials"), context: placement.context, under: bytes(of: key))
    }

    func seal(_ key: CredentialKey, at placement: Placement, under secret: OutcomeSecret) -> Sealed<CredentialKey> {
        keyRing.seal(bytes(of: key), as: Label("credential-key"), context: placement.context, under: secret.bytes)
    }

    func open(
        _ sealed: Sealed<CredentialKey>, at placement: Placement, under secret: OutcomeSecret
    ) throws(OpenError) -> CredentialKey {
        let bytes = try keyRing.open(
            sealed, as: Label("credential-key"), context: placement.context, under: secret.bytes)
        return bytes.expose { CredentialKey(String(decoding: $0, as: UTF8.self)) }
    }

    private func bytes(of key: CredentialKey) -> SecretBytes {
        key.expose { SecretBytes(Array($0.utf8)) }
    }
}
