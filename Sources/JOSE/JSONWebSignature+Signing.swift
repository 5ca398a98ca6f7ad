package import Formats
package import Secrets

extension JSONWebSignature {
    /// Signs claims (RFC 7515 § 5.1) and writes them in compact form. `alg` is put first; `header` must not have it.
    ///
    /// `nil` where the algorithm is not the key's.
    package static func sign(
        header: [(name: String, value: JSONValue)], claims: [String: JSONValue], key: SigningKey,
        algorithm: SignatureAlgorithm
    ) -> String? {
        compact(header, claims, algorithm: algorithm.rawValue) { key.sign($0, with: algorithm) }
    }

    /// The same with HS256 (RFC 7518 § 3.2); `nil` where the secret has less than 32 bytes: a shorter one can be
    /// guessed from any token.
    package static func sign(
        header: [(name: String, value: JSONValue)], claims: [String: JSONValue], sharedSecret: SecretBytes
    ) -> String? {
        guard sharedSecret.count >= 32 else { return nil }
        return compact(header, claims, algorithm: "HS256") { HMACSHA256.code(of: $0, key: sharedSecret) }
    }

    private static func compact(
        _ header: [(name: String, value: JSONValue)], _ claims: [String: JSONValue], algorithm: String,
        sign: ([UInt8]) -> [UInt8]?
    ) -> String? {
        guard let header = json(header, algorithm: algorithm), let claims = json(claims) else { return nil }
        let input = "\(Base64URL.encode(header)).\(Base64URL.encode(claims))"
        guard let signature = sign(Array(input.utf8)) else { return nil }
        return "\(input).\(Base64URL.encode(signature))"
    }

    private static func json(_ header: [(name: String, value: JSONValue)], algorithm: String) -> [UInt8]? {
        var json = JSONWriter()
        json.literal("{\"alg\":")
        json.string(algorithm)
        for (name, value) in header {
            guard name != "alg" else { return nil }
            json.literal(",")
            json.string(name)
            json.literal(":")
            guard (try? json.value(value)) != nil else { return nil }
        }
        json.literal("}")
        return json.bytes
    }

    private static func json(_ claims: [String: JSONValue]) -> [UInt8]? {
        var json = JSONWriter()
        return (try? json.value(.object(claims))).map { json.bytes }
    }
}

extension JSONValue {
    /// Seconds since 1970, as RFC 7519 § 2 writes moments.
    package static func seconds(_ moment: Timestamp) -> JSONValue { .integer(moment.milliseconds / 1000) }

    /// 16 random bytes, for a `jti` that is never made twice (RFC 7519 § 4.1.7).
    package static func randomID() -> JSONValue { .string(Base64URL.encode(Random.bytes(16))) }
}
