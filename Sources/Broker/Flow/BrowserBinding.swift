import Secrets

// A flow's outcome may be asked for in the browser in which it began. Until then the credential key waits, sealed under
// the flow's outcome secret, which the broker keeps nowhere: the binding cookie brings it to the callback, and the page
// that asks brings the exchange verifier, from which it is derived again.

/// Opens the copy of a flow's credential key that waits for `assets:oauthFlow`.
///
/// Derived one way from the exchange verifier and a master key: the database and the master keys together do not give
/// it, and a thief of the cookie cannot redeem with it.
struct OutcomeSecret: Sendable {
    static let length = 32

    let bytes: SecretBytes
}

extension FlowSecrets {
    /// Derives the outcome secret; `nil` where the master key that the flow began under is gone.
    func outcomeSecret(of verifier: ExchangeVerifier, for flow: FlowID, key: KeyRing.KeyID) -> OutcomeSecret? {
        let origin = verifier.expose { SecretBytes(flow.bytes + Array($0.utf8)) }
        return keyRing.derive(Label("outcome-secret"), from: origin, key: key).map { OutcomeSecret(bytes: $0) }
    }

    /// The value of the cookie that proves which browser began the flow: its outcome secret, and a code over that.
    func bindingCookie(with secret: OutcomeSecret, of flow: FlowID, key: KeyRing.KeyID) -> BindingCookie? {
        guard let proofKey = proofKey(of: flow, key) else { return nil }
        return secret.bytes.expose { secret in
            BindingCookie(Base64URL.encode(secret + HMACSHA256.code(of: secret, key: proofKey)))
        }
    }

    /// The outcome secret in a cookie that was made here for this flow; `nil` for every other cookie.
    ///
    /// The callback has no verifier to check the secret by, so the code beside it proves that the broker gave it to one
    /// who had the verifier. All master keys are tried: the flow's own is not known before its state is claimed.
    func outcomeSecret(in cookie: BindingCookie, of flow: FlowID) -> OutcomeSecret? {
        let parts = cookie.expose { text -> [UInt8]? in
            // Its length first: the text is a stranger's.
            guard text.utf8.count == 86 else { return nil }
            return Base64URL.decode(text)
        }
        guard let parts else { return nil }
        let secret = Array(parts.prefix(OutcomeSecret.length))
        let code = Array(parts.dropFirst(OutcomeSecret.length))
        let isOurs = keyRing.ids.contains { id in
            proofKey(of: flow, id).map { HMACSHA256.verify(code, of: secret, key: $0) } == true
        }
        return isOurs ? OutcomeSecret(bytes: SecretBytes(secret)) : nil
    }

    private func proofKey(of flow: FlowID, _ key: KeyRing.KeyID) -> SecretBytes? {
        keyRing.derive(Label("browser-binding"), from: SecretBytes(flow.bytes), key: key)
    }
}
