import Formats
public import Secrets

/// The `code_challenge` or exchange challenge sent ahead of a verifier: base64url(SHA-256(verifier)) (RFC 7636 § 4.2).
public struct ProofKeyChallenge: Hashable, Sendable {
    public let text: String

    /// `nil` unless it has the shape of an S256 challenge: 43 characters that decode to 32 bytes.
    public init?(_ text: String) {
        guard text.utf8.count == 43, Base64URL.decode(text) != nil else { return nil }
        self.text = text
    }

    public init<Use>(of verifier: Secret<Use>) {
        text = Base64URL.encode(verifier.digest.bytes)
    }
}

extension ExchangeVerifier {
    /// `nil` unless 43 to 128 unreserved characters (RFC 7636 § 4.1).
    public init?(checking text: String) {
        let allowed = { (byte: UInt8) in
            byte.isASCIILetterOrDigit || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
        }
        guard (43...128).contains(text.utf8.count), text.utf8.allSatisfy(allowed) else { return nil }
        self.init(text)
    }
}

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
