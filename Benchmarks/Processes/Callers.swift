import Formats
import Foundation
import JOSE
import Secrets

/// Makes callers' tokens, signed with ES256, and the key set to check them with.
struct Callers {
    static let issuer = "https://issuer.example.com"
    static let audience = "cloakroom"
    static let tenant = "acme"

    let jwks: String
    private let signer = JWSSigner(key: .makeP256(), algorithm: .ES256, keyID: "bench")

    init() throws {
        let jwk = signer.key.publicJWK.merging(["use": "sig", "alg": "ES256", "kid": "bench"]) { $1 }
        jwks = String(decoding: try JSONEncoder().encode(["keys": [jwk]]), as: UTF8.self)
    }

    /// Tokens of different callers of one tenant, good for an hour.
    func tokens(_ count: Int) throws -> [String] {
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return try (0..<count).map { number in
            let token = signer.sign(
                type: "JWT",
                claims: [
                    "iss": .string(Self.issuer), "aud": .string(Self.audience), "sub": .string("frontend-\(number)"),
                    "iat": .seconds(now), "exp": .seconds(now.adding(seconds: 3600)),
                    "tenant": .string(Self.tenant), "scope": .string("assets:read assets:write"),
                ])
            guard let token else { throw Trouble("a key that does not sign") }
            return token
        }
    }
}
