package import Formats
package import Secrets

/// Proof that the sender of a request holds the key that its token is bound to (RFC 9449 § 4).
package enum DPoPProof {
    /// The value of the `DPoP` header for one request, never for two (RFC 9449 § 4.2).
    ///
    /// - Parameters:
    ///   - url: the request's address; its query and fragment are left out.
    ///   - nonce: the one that the server gave last (§ 8).
    ///   - accessToken: the token that goes with the request; none goes to a token endpoint (§ 7).
    /// - Returns: `nil` only for a key that cannot sign.
    package static func make(
        _ key: SigningKey, method: String, url: String, nonce: String? = nil, accessToken: AccessToken? = nil,
        now: Timestamp, id: JSONValue = .randomID()
    ) -> String? {
        guard let algorithm = key.algorithms.first else { return nil }
        var claims: [String: JSONValue] = [
            "jti": id, "htm": .string(method), "htu": .string(target(url)), "iat": .seconds(now),
        ]
        if let nonce { claims["nonce"] = .string(nonce) }
        if let accessToken { claims["ath"] = .string(Base64URL.encode(accessToken.digest.bytes)) }
        return JSONWebSignature.sign(
            header: [
                ("typ", .string("dpop+jwt")), ("jwk", .object(key.publicJWK.mapValues { .string($0) })),
            ],
            claims: claims, key: key, algorithm: algorithm)
    }

    /// § 4.2: the address without query and fragment.
    private static func target(_ url: String) -> String {
        String(url.prefix { $0 != "?" && $0 != "#" })
    }
}
