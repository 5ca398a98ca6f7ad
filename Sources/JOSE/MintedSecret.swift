package import Formats
package import Secrets

/// A client secret that is a JWT of the developer's key, as Apple has it: sent where another would be.
package enum MintedSecret {
    /// `nil` where the algorithm is not the key's.
    ///
    /// Valid for five minutes: a flow's last request, a revocation, comes right after its first.
    package static func make(
        issuer: String, clientID: String, audience: String, key: JWSSigner, now: Timestamp
    ) -> ClientSecret? {
        let claims: [String: JSONValue] = [
            "iss": .string(issuer), "sub": .string(clientID), "aud": .string(audience), "iat": .seconds(now),
            "exp": .seconds(now.adding(seconds: 300)),
        ]
        return key.sign(type: "JWT", claims: claims).map { ClientSecret($0) }
    }
}
