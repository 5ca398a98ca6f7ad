import Secrets

/// Derives the secrets of a flow that are not stored from its `state` and a master key.
struct FlowSecrets {
    let keyRing: KeyRing

    /// The code verifier: 32 bytes give 43 characters, the fewest that RFC 7636 § 4.1 allows. `nil` where the master
    /// key that the flow began under is gone.
    func codeVerifier(of state: State, key: KeyRing.KeyID) -> CodeVerifier? {
        derive("pkce", from: state, key: key).map { CodeVerifier($0) }
    }

    /// The `nonce` of a flow with OpenID Connect (OpenID Connect Core § 3.1.2.1); `nil` likewise.
    func nonce(of state: State, key: KeyRing.KeyID) -> Nonce? {
        derive("nonce", from: state, key: key).map { Nonce($0) }
    }

    private func derive(_ label: StaticString, from state: State, key: KeyRing.KeyID) -> String? {
        let bytes = state.expose { SecretBytes(Array($0.utf8)) }
        return keyRing.derive(Label(label), from: bytes, key: key)?.expose { Base64URL.encode($0) }
    }
}
