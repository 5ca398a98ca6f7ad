import Formats
import Secrets

extension JSONWebSignature {
    /// Signs claims (RFC 7515 § 5.1) and writes them in compact form. `alg` is put first; `header` must not have it.
    ///
    /// `nil` where the algorithm is not the key's.
    static func sign(
        header: [(String, JSONValue)], claims: [String: JSONValue], with key: SigningKey,
        _ algorithm: SignatureAlgorithm
    ) -> String? {
        compact(header, claims, algorithm.rawValue) { key.sign($0, with: algorithm) }
    }

    /// The same with HS256 under the client secret; `nil` where that has less than 32 bytes (RFC 7518 § 3.2).
    static func sign(header: [(String, JSONValue)], claims: [String: JSONValue], with secret: ClientSecret) -> String? {
        secret.macKey.flatMap { key in
            compact(header, claims, "HS256") { HMACSHA256.code(of: $0, key: key) }
        }
    }

    private static func compact(
        _ header: [(String, JSONValue)], _ claims: [String: JSONValue], _ algorithm: String,
        _ sign: ([UInt8]) -> [UInt8]?
    ) -> String? {
        var members = ["\"alg\":\"\(algorithm)\""]
        for (name, value) in header {
            guard name != "alg", let name = json(.string(name)), let value = json(value) else { return nil }
            members.append("\(name):\(value)")
        }
        guard let claims = json(.object(claims)) else { return nil }
        let header = "{" + members.joined(separator: ",") + "}"
        let input = "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(claims.utf8)))"
        guard let signature = sign(Array(input.utf8)) else { return nil }
        return "\(input).\(Base64URL.encode(signature))"
    }

    private static func json(_ value: JSONValue) -> String? {
        (try? value.encoded()).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension ClientSecret {
    /// The key of HS256 (OpenID Connect Core § 10.1): the secret's UTF-8 bytes, 32 or more (RFC 7518 § 3.2). A shorter
    /// one can be guessed from any token.
    fileprivate var macKey: SecretBytes? {
        expose { $0.utf8.count >= 32 ? SecretBytes(Array($0.utf8)) : nil }
    }
}

extension JSONValue {
    /// Seconds since 1970, as RFC 7519 § 2 writes moments.
    static func seconds(_ moment: Timestamp) -> JSONValue { .integer(moment.milliseconds / 1000) }

    /// 16 random bytes: an identifier that nobody makes twice (RFC 7519 § 4.1.7).
    static func randomID() -> JSONValue { .string(Base64URL.encode(Random.bytes(16))) }
}
