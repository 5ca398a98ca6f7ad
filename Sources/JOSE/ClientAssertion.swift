package import Formats
package import Secrets

extension Use {
    /// The purpose of the secret below, as its type only.
    package enum ClientAssertion {}
}

/// A JWT by which a client proves itself at a token endpoint (RFC 7523 § 2.2, OpenID Connect Core § 9).
package typealias ClientAssertion = Secret<Use.ClientAssertion>

extension ClientAssertion {
    /// An assertion under the client secret (`client_secret_jwt`). `nil` where the secret has less than 32 bytes
    /// (RFC 7518 § 3.2).
    package static func make(
        clientID: String, audience: String, secret: ClientSecret, now: Timestamp, id: JSONValue = .randomID()
    ) -> ClientAssertion? {
        // OpenID Connect Core § 10.1: the key is the secret's UTF-8.
        JSONWebSignature.sign(
            header: [("typ", .string("JWT"))], claims: claims(of: clientID, for: audience, at: now, id: id),
            sharedSecret: secret.expose { SecretBytes(Array($0.utf8)) }
        ).map { ClientAssertion($0) }
    }

    /// An assertion under the client's own key (`private_key_jwt`). `nil` where the algorithm is not the key's.
    package static func make(
        clientID: String, audience: String, key: JWSSigner, now: Timestamp, id: JSONValue = .randomID()
    ) -> ClientAssertion? {
        key.sign(type: "JWT", claims: claims(of: clientID, for: audience, at: now, id: id)).map { ClientAssertion($0) }
    }

    /// The claims of RFC 7523 § 3. A request needs no more than a minute (point 4), and `jti` lets the server refuse a
    /// second use (point 7).
    private static func claims(
        of clientID: String, for audience: String, at now: Timestamp, id: JSONValue
    ) -> [String: JSONValue] {
        [
            "iss": .string(clientID), "sub": .string(clientID), "aud": .string(audience), "jti": id,
            "iat": .seconds(now), "exp": .seconds(now.adding(seconds: 60)),
        ]
    }
}
