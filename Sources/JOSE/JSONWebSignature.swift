import Formats
package import Secrets

/// A JSON Web Signature in compact form (RFC 7515 § 7.1), taken apart. Nothing in it is believed yet.
///
/// It is a whole token, which anyone who reads it could use, so it prints as its type alone.
package struct JSONWebSignature: Sendable, Redacted {
    let header: [String: JSONValue]
    /// The header's `alg` as it came: perhaps none that is known here, but never `none`.
    package let algorithm: String
    /// Names the key, if anything does.
    package let keyID: String?
    /// Says what kind of token it is, if anything does (RFC 7515 § 4.1.9).
    package let type: String?
    /// Decoded from base64url; any bytes, of which claims are read only once the signature was verified.
    package let payload: [UInt8]
    private let signingInput: [UInt8]
    private let signature: [UInt8]

    /// The reasons why a text is no signature that could be checked here.
    package enum Fault: Error, Equatable, Sendable {
        /// More than 64 KiB.
        case tooLong
        /// Not three parts; five are an encrypted token (RFC 7516 § 7.1).
        case notThreeParts
        /// A part has padding, white space or other characters (RFC 7515 § 2).
        case notBase64URL
        /// The header is no JSON object, has no `alg`, or has an `alg`, `kid` or `typ` that is no text.
        case headerMalformed
        /// RFC 7515 § 4: a header in which a name comes twice.
        case memberRepeated
        /// RFC 7515 § 4.1.11: no extension is understood here, so none may be critical.
        case criticalExtension
        /// RFC 7519 § 6, RFC 8725 § 3.2: `none` protects nothing, however it is spelled.
        case unprotected
    }

    /// Bytes: many times what any token needs.
    static let limit = 64 * 1024

    /// Takes the text apart (RFC 7515 § 5.2, 1 to 7). The signature is not verified here.
    package init(_ compact: String) throws(Fault) {
        guard compact.utf8.count <= Self.limit else { throw .tooLong }
        let parts = compact.split(separator: ".", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .notThreeParts }
        // RFC 7515 § 2: base64url without padding, white space or line breaks.
        guard let headerBytes = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .notBase64URL }
        let header: [String: JSONValue]
        do {
            header = try StrictJSON.partOfToken(headerBytes)
        } catch {
            throw error == .memberRepeated ? .memberRepeated : .headerMalformed
        }
        guard let algorithm = header["alg"]?.string else { throw .headerMalformed }
        // `b64` changes what is signed, and counts only where it is critical (RFC 7797 § 6); refused with or without.
        guard header["crit"] == nil, header["b64"] == nil else { throw .criticalExtension }
        guard algorithm.lowercased() != "none", !signature.isEmpty else { throw .unprotected }
        keyID = try Self.text(header, "kid")
        type = try Self.text(header, "typ")
        // `jwk`, `jku`, `x5c` and `x5u` let the writer name the key that shall be believed: never looked at
        // (RFC 8725 § 3.10).
        self.header = header
        self.algorithm = algorithm
        self.payload = payload
        self.signature = signature
        signingInput = Array(parts[0].utf8) + [UInt8(ascii: ".")] + Array(parts[1].utf8)
    }

    private static func text(_ header: [String: JSONValue], _ name: String) throws(Fault) -> String? {
        guard let member = header[name] else { return nil }
        guard let text = member.string else { throw .headerMalformed }
        return text
    }

    /// Tells whether it says to be of one of these types, in any letter case, with or without the prefix that may be
    /// left out (RFC 7515 § 4.1.9).
    package func isTyped(_ types: String...) -> Bool {
        guard let type else { return false }
        return types.contains { name in
            type.isExactly(name, inAnyCase: true) || type.isExactly("application/" + name, inAnyCase: true)
        }
    }

    /// Tells whether `secret` made the signature, with HS256 (RFC 7518 § 3.2). For callers that accept nothing but a
    /// secret's signature: no public key may be passed for one.
    package func isSigned(with secret: SecretBytes) -> Bool {
        algorithm.isExactly("HS256") && HMACSHA256.verify(signature, of: signingInput, key: secret)
    }

    /// Tells whether `key` made the signature. False where the header has another algorithm than `algorithm`.
    package func isSigned(by key: VerificationKey, with algorithm: SignatureAlgorithm) -> Bool {
        self.algorithm.isExactly(algorithm.rawValue) && key.verify(signature, of: signingInput, with: algorithm)
    }
}

extension StrictJSON {
    /// The members of a token's header or payload. JSON that is sent has no byte order mark (RFC 8259 § 8.1): other
    /// readers refuse such a token.
    static func partOfToken(_ json: [UInt8]) throws(JSONFault) -> [String: JSONValue] {
        guard !json.starts(with: [0xEF, 0xBB, 0xBF]) else { throw .malformed }
        return try object(json)
    }
}
