import Formats
import Secrets

extension Use {
    public enum ClientAssertion {}
}

/// A JWT by which a client proves itself at a token endpoint (RFC 7523 § 2.2, OpenID Connect Core § 9).
typealias ClientAssertion = Secret<Use.ClientAssertion>

extension ClientAssertion {
    /// `client_secret_jwt`. `nil` where the secret has less than 32 bytes (RFC 7518 § 3.2).
    static func make(
        clientID: String, audience: String, secret: ClientSecret, now: Timestamp, id: JSONValue = .randomID()
    ) -> ClientAssertion? {
        JSONWebSignature.sign(
            header: [("typ", .string("JWT"))], claims: claims(clientID, audience, now, id), with: secret
        ).map { ClientAssertion($0) }
    }

    /// `private_key_jwt`. `nil` where the algorithm is not the key's.
    static func make(
        clientID: String, audience: String, key: ClientKey, now: Timestamp, id: JSONValue = .randomID()
    ) -> ClientAssertion? {
        key.sign(type: "JWT", claims(clientID, audience, now, id)).map { ClientAssertion($0) }
    }

    /// RFC 7523 § 3. One request needs no more than a minute (point 4), and one only: `jti` sees to that (point 7).
    private static func claims(
        _ clientID: String, _ audience: String, _ now: Timestamp, _ id: JSONValue
    ) -> [String: JSONValue] {
        [
            "iss": .string(clientID), "sub": .string(clientID), "aud": .string(audience), "jti": id,
            "iat": .seconds(now), "exp": .seconds(now.adding(seconds: 60)),
        ]
    }
}
