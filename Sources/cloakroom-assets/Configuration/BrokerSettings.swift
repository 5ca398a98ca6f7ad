import Daemon
import Formats
import JOSE
import Secrets
import StrictYAML

/// The broker whose credential keys are redeemed, and the way to call it.
struct BrokerSettings {
    /// The proof of who calls.
    enum Identity {
        /// Tokens of a minute's life that the service signs itself.
        case signer(JWSSigner, issuer: String, audience: String)
        /// A token in a file, which is read again when it changes.
        case tokenFile(path: String)
    }

    /// The address that paths are put behind.
    var url: StrictURL
    var identity: Identity
    /// The time that an answer may take.
    var timeout: Duration
}

extension ConfigurationReader {
    /// `nil` (and a finding) where the broker or the way to call it is missing.
    ///
    /// - Parameter allowInsecure: the broker may be anywhere at plain http.
    func broker(allowInsecure: Bool) -> BrokerSettings? {
        let broker = section("broker")
        let url = brokerURL(broker, allowInsecure: allowInsecure)
        let identity = brokerIdentity(broker)
        let timeout = seconds("timeout", in: broker, upTo: 300) ?? .seconds(15)
        broker.finish()
        guard let url, let identity else { return nil }
        return BrokerSettings(url: url, identity: identity, timeout: timeout)
    }

    private func brokerURL(_ broker: YAMLReader, allowInsecure: Bool) -> StrictURL? {
        let wanted = "the broker's https address"
        guard let text = broker.required("url", wanted) else { return nil }
        return address(text, of: "url", in: broker, allowInsecure: allowInsecure, wanted: wanted)
    }

    /// One of the two, lest it be an accident as whom the service calls.
    private func brokerIdentity(_ broker: YAMLReader) -> BrokerSettings.Identity? {
        let keyFile = broker.string("signingKeyFile")
        let tokenFile = broker.string("tokenFile")
        let keyID = broker.string("keyId")
        let signs = keyFile != nil && tokenFile == nil
        let claim = { (name: String, wanted: String) in
            signs ? broker.required(name, wanted) : broker.string(name)
        }
        let issuer = claim("issuer", "the iss of tokens that the broker takes")
        let audience = claim("audience", "the aud of tokens that the broker takes")
        switch (keyFile, tokenFile) {
        case (let keyFile?, nil):
            let signer = signer(keyFile, keyID: keyID, in: broker)
            guard let signer, let issuer, let audience else { return nil }
            return .signer(signer, issuer: issuer, audience: audience)
        case (nil, let tokenFile?):
            for (name, value) in [("keyId", keyID), ("issuer", issuer), ("audience", audience)] where value != nil {
                notes.remarks.append("broker.\(name) is not used beside broker.tokenFile: the token says it")
            }
            return token(tokenFile, in: broker)
        case (_?, _?):
            broker.problem("tokenFile", found: "both this and signingKeyFile", wanted: "one of the two")
            return nil
        case (nil, nil):
            // One that is no text was found wrong already.
            if !broker.names.contains("signingKeyFile"), !broker.names.contains("tokenFile") {
                broker.problem("signingKeyFile", found: "nothing", wanted: "one of signingKeyFile, tokenFile")
            }
            return nil
        }
    }

    private func signer(_ file: String, keyID: String?, in broker: YAMLReader) -> JWSSigner? {
        let wanted = "a private key in PEM or JWK: P-256, P-384, P-521, Ed25519, Ed448, or RSA of at least 2048 bits"
        guard let bytes = secretContents(file, of: "signingKeyFile", in: broker, wanted: wanted) else { return nil }
        guard let signer = JWSSigner(file: SecretBytes(bytes), keyID: keyID) else {
            broker.problem(
                "signingKeyFile", found: "\(file.quoted), which holds no private key that can sign", wanted: wanted)
            return nil
        }
        return signer
    }

    private func token(_ file: String, in broker: YAMLReader) -> BrokerSettings.Identity? {
        let wanted = "a token that the broker takes"
        guard let bytes = secret(file, of: "tokenFile", in: broker, wanted: wanted) else { return nil }
        // RFC 6750 § 2.1: else it would not fit into a header.
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            broker.problem("tokenFile", found: "\(file.quoted), which holds more than a token", wanted: wanted)
            return nil
        }
        return .tokenFile(path: settings.absolute(file))
    }
}
