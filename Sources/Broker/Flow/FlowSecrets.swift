import Secrets

/// What is derived from a flow's `state` and a master key instead of being stored.
struct FlowSecrets {
    let keyRing: KeyRing

    /// 32 bytes give a 43-character verifier, the shortest that RFC 7636 § 4.1 allows.
    /// `nil` where the master key that the flow began under is gone.
    func codeVerifier(of state: State, key: KeyRing.KeyID) -> CodeVerifier? {
        derive("pkce", state, key).map { CodeVerifier($0) }
    }

    /// The `nonce` of a flow with OpenID Connect.
    func nonce(of state: State, key: KeyRing.KeyID) -> Nonce? {
        derive("nonce", state, key).map { Nonce($0) }
    }

    private func derive(_ label: StaticString, _ state: State, _ key: KeyRing.KeyID) -> String? {
        let bytes = state.expose { SecretBytes(Array($0.utf8)) }
        return keyRing.derive(Label(label), from: bytes, key: key)?.expose { Base64URL.encode($0) }
    }
}
