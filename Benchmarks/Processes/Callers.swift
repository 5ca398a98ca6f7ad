import Foundation
import JWTKit

/// Makes callers' tokens, signed with ES256, and the key set to check them with.
struct Callers {
    static let issuer = "https://issuer.example.com"
    static let audience = "cloakroom"
    static let tenant = "acme"

    let jwks: String
    private let keys = JWTKeyCollection()

    init() async throws {
        let key = ES256PrivateKey()
        guard let point = key.parameters else { throw Trouble("a key without coordinates") }
        let id = JWKIdentifier(string: "bench")
        await keys.add(ecdsa: key, kid: id)
        let (x, y) = (Self.urlSafe(point.x), Self.urlSafe(point.y))
        jwks = """
            {"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"bench","x":"\(x)","y":"\(y)"}]}
            """
    }

    /// Tokens of different callers of one tenant, good for an hour.
    func tokens(_ count: Int) async throws -> [String] {
        let now = Int(Date().timeIntervalSince1970)
        var tokens: [String] = []
        for number in 0..<count {
            let claims = Claims(
                iss: Self.issuer, aud: Self.audience, sub: "frontend-\(number)", iat: now, exp: now + 3600,
                tenant: Self.tenant, scope: "assets:read assets:write")
            tokens.append(try await keys.sign(claims, kid: JWKIdentifier(string: "bench")))
        }
        return tokens
    }

    private struct Claims: JWTPayload {
        let iss: String
        let aud: String
        let sub: String
        let iat: Int
        let exp: Int
        let tenant: String
        let scope: String

        func verify(using _: some JWTAlgorithm) async throws {}
    }

    private static func urlSafe(_ base64: String) -> String {
        String(base64.compactMap { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 == "=" ? nil : $0 })
    }
}
