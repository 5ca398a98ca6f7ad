import Formats
import Secrets
import Testing

@testable import JOSE

/// Makes tokens that no sound signer would, and takes sound ones apart.
enum Forge {
    static func json(_ value: JSONValue) throws -> [UInt8] { try value.encoded() }

    /// A compact token with exactly these texts in it.
    static func token(
        header: String, payload: String, signedBy sign: ([UInt8]) -> [UInt8]? = { _ in [1, 2, 3] }
    ) throws -> String {
        let input = "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(payload.utf8)))"
        return "\(input).\(Base64URL.encode(try #require(sign(Array(input.utf8)))))"
    }

    /// Tells whether the MAC of a token is HMAC-SHA-256 under a secret, whatever its header says.
    static func isSigned(_ token: String, with secret: ClientSecret) -> Bool {
        guard let dot = token.lastIndex(of: "."), let code = Base64URL.decode(token[token.index(after: dot)...]) else {
            return false
        }
        let key = secret.expose { SecretBytes(Array($0.utf8)) }
        return HMACSHA256.verify(code, of: Array(token[..<dot].utf8), key: key)
    }

    /// Header and claims of a token that somebody else may check.
    static func parts(_ token: String) throws -> (header: [String: JSONValue], claims: [String: JSONValue]) {
        let parts = try token.split(separator: ".").prefix(2).map { part in
            try #require(Base64URL.decode(part).flatMap { JSONValue(json: $0) })
        }
        guard case .object(let header) = parts[0], case .object(let claims) = parts[1] else { return ([:], [:]) }
        return (header, claims)
    }
}
