import Formats
import Secrets
import TestSupport
import Testing

@testable import JOSE

@Suite struct JSONWebSignatureTests {
    private static let kinds: [(String, [SignatureAlgorithm])] = [
        (PublishedKey.rsa, [.RS256, .RS384, .RS512, .PS256, .PS384, .PS512]), (PublishedKey.p256, [.ES256]),
        (TestKey.p384, [.ES384]), (PublishedKey.p521, [.ES512]), (PublishedKey.ed25519, [.EdDSA, .Ed25519]),
        (PublishedKey.ed448, [.EdDSA, .Ed448]),
    ]

    private func fault(_ token: String) -> JSONWebSignature.Fault? {
        do throws(JSONWebSignature.Fault) {
            _ = try JSONWebSignature(token)
            return nil
        } catch {
            return error
        }
    }

    /// RFC 8037 § A.4: the whole token.
    @Test func `a published token is read and right`() throws {
        let token =
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
            + ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        let signed = try JSONWebSignature(token)
        let key = try #require(VerificationKey(jwk: try TestKey.signing(PublishedKey.ed25519).publicJWK))
        #expect(signed.isSigned(by: key, with: .EdDSA))
        #expect(String(decoding: signed.payload, as: UTF8.self) == "Example of Ed25519 signing")
    }

    /// RFC 8259 § 8.1.
    @Test func `a header with a byte order mark is refused`() throws {
        #expect(fault(try Forge.token(header: #"{"alg":"ES256"}"#, payload: "{}")) == nil)
        #expect(fault(try Forge.token(header: "\u{FEFF}{\"alg\":\"ES256\"}", payload: "{}")) == .headerMalformed)
    }

    /// RFC 7515 § A.1.
    @Test func `the published token under a shared secret is right`() throws {
        let secret = try #require(
            Base64URL.decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
        let token =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            + "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let signed = try JSONWebSignature(token)
        let shared = try #require(SharedTokenSecret(SecretBytes(secret)))
        #expect(try shared.claims(of: signed)["iss"] == .string("joe"))
        #expect(throws: VerifiedClaims.Fault.signatureWrong) {
            try #require(SharedTokenSecret(SecretBytes(secret.reversed()))).claims(of: signed)
        }
    }

    /// RFC 7515 § A.2 to § A.4: claims, and a payload that is none.
    @Test func `published tokens are believed under their keys`() throws {
        let joe =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let es256 =
            "eyJhbGciOiJFUzI1NiJ9.\(joe).DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3"
            + "-Kg6NU1Q"
        let es512 =
            "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KG"
            + "DKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
        let keys = try TestKey.set([(PublishedKey.p256, [:]), (PublishedKey.p521, ["alg": .string("ES512")])])
        #expect(try keys.claims(of: JSONWebSignature(es256)).moment("exp") == 1_300_819_380)
        #expect(throws: VerifiedClaims.Fault.malformed) { try keys.claims(of: JSONWebSignature(es512)) }
        let other = try TestKey.set([(PublishedKey.rsa, [:]), (TestKey.p384, [:])])
        #expect(throws: VerifiedClaims.Fault.unknownKey) { try other.claims(of: JSONWebSignature(es512)) }
    }

    /// The example that jwt.io shows.
    @Test func `a published token under a shared secret is right`() {
        let token =
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
            + ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiYWRtaW4iOnRydWUsImlhdCI6MTUxNjIzOTAyMn0"
            + ".KMUFsIDTnFmyG3nMiGM6H9FNFUROf3wh7SmqJp-QV30"
        #expect(Forge.isSigned(token, with: ClientSecret("a-string-secret-at-least-256-bits-long")))
        #expect(!Forge.isSigned(token, with: ClientSecret("a-string-secret-at-least-256-bits-lonG")))
    }

    @Test func `what was signed is read again, with each algorithm`() throws {
        for (pem, algorithms) in Self.kinds {
            let key = try TestKey.signing(pem)
            let publicKey = try #require(VerificationKey(jwk: key.publicJWK))
            for algorithm in algorithms {
                let token = try #require(
                    JSONWebSignature.sign(
                        header: [("kid", .string("k/1")), ("typ", .string("JWT"))],
                        claims: ["a": .string("ä\"\\/"), "b": .integer(9_007_199_254_740_993)], key: key,
                        algorithm: algorithm))
                let signed = try JSONWebSignature(token)
                #expect(signed.isSigned(by: publicKey, with: algorithm))
                #expect(signed.keyID == "k/1")
                #expect(signed.algorithm == algorithm.rawValue)
                let claims = JSONValue.object(["a": .string("ä\"\\/"), "b": .integer(9_007_199_254_740_993)])
                #expect(JSONValue(json: signed.payload) == claims)
                for other in SignatureAlgorithm.allCases where other != algorithm {
                    #expect(!signed.isSigned(by: publicKey, with: other))
                }
            }
        }
    }

    @Test func `a key does not sign with another kind's algorithm`() throws {
        let key = try TestKey.signing(PublishedKey.p256)
        #expect(JSONWebSignature.sign(header: [], claims: [:], key: key, algorithm: .RS256) == nil)
        #expect(
            JSONWebSignature.sign(header: [("alg", .string("x"))], claims: [:], key: key, algorithm: .ES256) == nil)
    }

    /// RFC 7518 § 3.2.
    @Test func `a shared secret has at least 32 bytes`() throws {
        let bytes = { (count: Int) in SecretBytes([UInt8](repeating: 0x61, count: count)) }
        #expect(JSONWebSignature.sign(header: [], claims: [:], sharedSecret: bytes(31)) == nil)
        let token = try #require(JSONWebSignature.sign(header: [], claims: [:], sharedSecret: bytes(32)))
        #expect(Forge.isSigned(token, with: ClientSecret(String(repeating: "a", count: 32))))
        #expect(try JSONWebSignature(token).isSigned(with: bytes(32)))
    }

    @Test func `altering any part breaks the signature`() throws {
        let key = try TestKey.signing(PublishedKey.p256)
        let publicKey = try #require(VerificationKey(jwk: key.publicJWK))
        let token = try #require(
            JSONWebSignature.sign(header: [], claims: ["a": .number(1)], key: key, algorithm: .ES256))
        let parts = token.split(separator: ".").map(String.init)
        let other = Base64URL.encode(Array(#"{"a":2}"#.utf8))
        let header = Base64URL.encode(Array(#"{"alg":"ES256" }"#.utf8))
        for altered in ["\(parts[0]).\(other).\(parts[2])", "\(header).\(parts[1]).\(parts[2])"] {
            #expect(try !JSONWebSignature(altered).isSigned(by: publicKey, with: .ES256))
        }
        #expect(try JSONWebSignature(token).isSigned(by: publicKey, with: .ES256))
    }

    @Test(arguments: [
        ("", JSONWebSignature.Fault.notThreeParts), ("a", .notThreeParts), ("a.b", .notThreeParts),
        ("a.b.c.d", .notThreeParts), ("a.b.c.d.e", .notThreeParts),
        (String(repeating: ".", count: 10_000), .notThreeParts),
        ("e30=.e30.AQ", .notBase64URL), ("e30.e30.AQ==", .notBase64URL), ("e30. e30.AQ", .notBase64URL),
        ("e30.e30.A/Q", .notBase64URL), ("e30.e30.AR", .notBase64URL), ("e30.e30.AQ\n", .notBase64URL),
        ("e30\u{301}.e30.AQ", .notBase64URL), ("..", .headerMalformed), ("e30.e30.AQ", .headerMalformed),
        (String(repeating: "A", count: 65_537), .tooLong),
    ])
    func `what is no compact token is refused`(_ token: String, _ expected: JSONWebSignature.Fault) {
        #expect(fault(token) == expected)
    }

    @Test(arguments: [
        ("", JSONWebSignature.Fault.headerMalformed), ("[]", .headerMalformed), (#""HS256""#, .headerMalformed),
        ("{", .headerMalformed), (#"{"alg":1}"#, .headerMalformed), (#"{"alg":null}"#, .headerMalformed),
        (#"{"typ":"JWT"}"#, .headerMalformed), (#"{"alg":"HS256","kid":1}"#, .headerMalformed),
        (#"{"alg":"HS256","kid":null}"#, .headerMalformed), (#"{"alg":"HS256","typ":["JWT"]}"#, .headerMalformed),
        (String(repeating: "[", count: 20_000), .headerMalformed),
        (#"{"alg":"HS256","alg":"none"}"#, .memberRepeated), (#"{"alg":"HS256","\u0061lg":"none"}"#, .memberRepeated),
        (#"{"alg":"HS256","kid":"a","kid":"b"}"#, .memberRepeated),
        // RFC 7515 § 4.1.11, RFC 7797 § 6.
        (#"{"alg":"HS256","crit":["exp"],"exp":1}"#, .criticalExtension),
        (#"{"alg":"HS256","crit":[]}"#, .criticalExtension),
        (#"{"alg":"HS256","crit":null}"#, .criticalExtension), (#"{"alg":"HS256","b64":false}"#, .criticalExtension),
        (#"{"alg":"HS256","b64":true,"crit":["b64"]}"#, .criticalExtension),
        // RFC 8725 § 3.2.
        (#"{"alg":"none"}"#, .unprotected), (#"{"alg":"None"}"#, .unprotected), (#"{"alg":"nOnE"}"#, .unprotected),
    ])
    func `a header that asks for something else is refused`(
        _ header: String, _ expected: JSONWebSignature.Fault
    ) throws {
        #expect(fault(try Forge.token(header: header, payload: "{}")) == expected)
    }

    @Test func `a token without signature is refused, whatever its header says`() {
        let header = Base64URL.encode(Array(#"{"alg":"RS256"}"#.utf8))
        #expect(fault("\(header).e30.") == .unprotected)
    }

    @Test func `the longest token is read`() throws {
        let header = Base64URL.encode(Array(#"{"alg":"RS256"}"#.utf8))
        let payload = String(repeating: "A", count: (65_536 - header.utf8.count - 4) / 4 * 4)
        #expect(fault("\(header).\(payload).AQ") == nil)
    }
}
