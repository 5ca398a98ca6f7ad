import Formats
import Foundation
import Secrets
import TestSupport
import Testing

@testable import JOSE

/// The known attacks on readers of tokens (RFC 8725 § 2).
@Suite struct ForgedIDTokenTests {
    private typealias Check = IDTokenValidationTests

    private static func payload() throws -> String {
        String(decoding: try Forge.json(.object(Check.sound)), as: UTF8.self)
    }

    private static func fault(header: String, payload: String? = nil, _ sign: ([UInt8]) -> [UInt8]? = { _ in [1] })
        throws
        -> IDTokenError?
    {
        try Check.fault(try Forge.token(header: header, payload: payload ?? Self.payload(), signedBy: sign))
    }

    /// RFC 8725 § 2.1.
    @Test func `a token that nothing protects is refused`() throws {
        #expect(try Self.fault(header: #"{"alg":"none","kid":"p"}"#) == .malformed(.unprotected))
        let parts = try Check.token().split(separator: ".")
        let header = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))
        #expect(try Check.fault("\(header).\(parts[1]).") == .malformed(.unprotected))
        #expect(try Check.fault("\(parts[0]).\(parts[1]).") == .malformed(.unprotected))
        #expect(try Check.fault("\(parts[0]).\(parts[1])") == .malformed(.notThreeParts))
    }

    /// RFC 8725 § 2.1: HS256 with the public key, which everybody has, as the secret.
    @Test func `a public key is no shared secret`() throws {
        let jwk = try TestKey.signing(PublishedKey.rsa).publicJWK
        let guesses = [try JSONEncoder().encode(jwk), Data(try #require(jwk["n"]).utf8), Data(PublishedKey.rsa.utf8)]
        for guess in guesses {
            let sign = { (input: [UInt8]) in HMACSHA256.code(of: input, key: SecretBytes(Array(guess))) }
            #expect(try Self.fault(header: #"{"alg":"HS256","kid":"r"}"#, sign) == .algorithmNotAllowed("HS256"))
        }
    }

    /// OpenID Connect Core 1.0 § 3.1.3.7, 8 would allow it.
    @Test func `a token under the client secret is refused`() throws {
        let token = try #require(
            JSONWebSignature.sign(
                header: [], claims: Check.sound, sharedSecret: SecretBytes(Array(Check.secret.utf8))))
        #expect(try Check.fault(token) == .algorithmNotAllowed("HS256"))
    }

    @Test(arguments: ["hs256", "HS512", "RS1", "ES256K", "", "RSA-OAEP", "dir", "RS256\u{0}", "es256"])
    func `an unknown algorithm is refused`(_ name: String) throws {
        let header = String(decoding: try Forge.json(.object(["alg": .string(name)])), as: UTF8.self)
        let fault = try Self.fault(header: header)
        #expect(fault == .algorithmNotAllowed(name) || fault == .malformed(.headerMalformed))
    }

    /// A signature by the right key, and a header that says another algorithm.
    @Test func `the algorithm must be the key's`() throws {
        let key = try TestKey.signing(PublishedKey.p256)
        for name in ["RS256", "PS256", "EdDSA"] {
            let fault = try Self.fault(header: #"{"alg":"\#(name)","kid":"p"}"#) { key.sign($0, with: .ES256) }
            #expect(fault == .unknownKey)
        }
        let rsa = try TestKey.signing(PublishedKey.rsa)
        #expect(try Self.fault(header: #"{"alg":"PS256","kid":"r"}"#) { rsa.sign($0, with: .RS256) } == .signatureWrong)
    }

    /// RFC 8725 § 3.10: a key that the token brings or points to is the writer's.
    @Test func `a key in the header is not looked at`() throws {
        let attacker = SigningKey.makeP256()
        let jwk = String(decoding: try JSONEncoder().encode(attacker.publicJWK), as: UTF8.self)
        let addresses = #""jku":"https://evil.example/keys","x5u":"https://evil.example/cert""#
        for kid in [#","kid":"p""#, ""] {
            let header = #"{"alg":"ES256","jwk":\#(jwk),"x5c":["AAAA"],\#(addresses)\#(kid)}"#
            #expect(try Self.fault(header: header) { attacker.sign($0, with: .ES256) } == .signatureWrong)
        }
        let own = try TestKey.signing(PublishedKey.p256)
        let header = #"{"alg":"ES256","jwk":\#(jwk),\#(addresses),"kid":"p"}"#
        #expect(try Self.fault(header: header) { own.sign($0, with: .ES256) } == nil)
    }

    @Test(arguments: ["q", "unknown", "P", "", "../../dev/null", "p' OR '1'='1"])
    func `a key that is not there is unknown`(_ kid: String) throws {
        #expect(try Check.fault(Check.token(kid: kid)) == .unknownKey)
    }

    /// OpenID Connect Core 1.0 § 10.1: a header without `kid` does where one key alone could have signed.
    @Test func `without a name the key must be the only one`() throws {
        #expect(try Check.fault(Check.token(kid: nil)) == nil)
        let other = SigningKey.makeP256().publicJWK.mapValues { JSONValue.string($0) }
        let own = try TestKey.signing(PublishedKey.p256).publicJWK.mapValues { JSONValue.string($0) }
        let json = try Forge.json(.object(["keys": .array([.object(other), .object(own)])]))
        let keys = try #require(JSONWebKeySet(json: json))
        #expect(try Check.fault(Check.token(kid: nil), keys: keys) == .ambiguousKey)
        #expect(try Check.fault(Check.token(kid: nil), keys: TestKey.set([])) == .unknownKey)
    }

    @Test func `an altered payload is refused`() throws {
        let parts = try Check.token().split(separator: ".")
        let other = try Check.token(["sub": .string("admin")]).split(separator: ".")
        #expect(try Check.fault("\(parts[0]).\(other[1]).\(parts[2])") == .signatureWrong)
    }

    @Test func `a claim that comes twice is refused`() throws {
        let key = try TestKey.signing(PublishedKey.p256)
        for twice in [#""sub":"admin""#, #""\u0073ub":"admin""#] {
            let payload = try String(Self.payload().dropLast()) + ",\(twice)}"
            let fault = try Self.fault(header: #"{"alg":"ES256","kid":"p"}"#, payload: payload) {
                key.sign($0, with: .ES256)
            }
            #expect(fault == .claimsMalformed)
        }
    }

    /// A token in a token, and other things that are no claims.
    @Test func `a payload that is no object is refused`() throws {
        let key = try TestKey.signing(PublishedKey.p256)
        let marked = try "\u{FEFF}" + Self.payload()
        for payload in [
            try Check.token(), marked, "", "[]", "null", "{", #""{}""#, String(repeating: "[", count: 10_000),
        ] {
            let fault = try Self.fault(header: #"{"alg":"ES256","kid":"p","cty":"JWT"}"#, payload: payload) {
                key.sign($0, with: .ES256)
            }
            #expect(fault == .claimsMalformed)
        }
    }

    @Test func `an encrypted or oversized token is refused`() throws {
        #expect(try Check.fault("a.b.c.d.e") == .malformed(.notThreeParts))
        let long = try Check.token(["extra": .string(String(repeating: "a", count: 64 * 1024))])
        #expect(try Check.fault(long) == .malformed(.tooLong))
    }

    @Test func `no cut of a token crashes, and none is believed`() throws {
        let token = try Check.token()
        let keys = try Check.keys()
        for length in 0..<token.utf8.count {
            #expect(try Check.fault(String(token.prefix(length)), keys: keys) != nil)
        }
    }
}
