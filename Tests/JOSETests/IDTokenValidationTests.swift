import Formats
import Secrets
import TestSupport
import Testing

@testable import JOSE

/// OpenID Connect Core 1.0 § 3.1.3.7, rule by rule.
@Suite struct IDTokenValidationTests {
    static let now: Int64 = TestTime.now.milliseconds / 1000
    static let sound: [String: JSONValue] = [
        "iss": .string("https://issuer.example.com"), "sub": .string("248289761001"), "aud": .string("client"),
        "nonce": .string("n-0S6_WzA2Mj"), "exp": .integer(now + 3600), "iat": .integer(now),
    ]
    static let secret = "a-secret-of-more-than-thirty-two-bytes"

    static var check: IDTokenValidation {
        IDTokenValidation(issuer: "https://issuer.example.com", clientID: "client", nonce: Nonce("n-0S6_WzA2Mj"))
    }

    /// Read once: libcrypto takes its time to check a private RSA key.
    private static let keySet = Result {
        try TestKey.set([
            (PublishedKey.rsa, ["kid": .string("r")]), (PublishedKey.p256, ["kid": .string("p")]),
            (TestKey.p384, ["kid": .string("q")]), (PublishedKey.ed25519, ["kid": .string("e")]),
            (PublishedKey.p521, ["kid": .string("s")]), (PublishedKey.ed448, ["kid": .string("g")]),
        ])
    }

    static func keys() throws -> JSONWebKeySet { try keySet.get() }

    /// A token of the sound claims but for `changes`; `nil` leaves a claim out.
    static func token(
        _ changes: [String: JSONValue?] = [:], pem: String = PublishedKey.p256, kid: String? = "p", type: String? = nil
    ) throws -> String {
        var claims = sound
        for (name, value) in changes { claims[name] = value }
        let key = try TestKey.signing(pem)
        let header = [("kid", kid), ("typ", type)].compactMap { name, text in
            text.map { (name: name, value: JSONValue.string($0)) }
        }
        return try #require(
            JSONWebSignature.sign(header: header, claims: claims, key: key, algorithm: key.algorithms[0]))
    }

    /// The fault of `token`; `nil` where it is valid.
    static func fault(
        _ token: String, _ check: IDTokenValidation = Self.check, keys: JSONWebKeySet? = nil
    ) throws -> IDTokenError? {
        let keys = try keys ?? Self.keys()
        do throws(IDTokenError) {
            _ = try check.claims(of: IDToken(token), keys: keys, at: TestTime.now)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a sound token is believed`() throws {
        let claims = try Self.check.claims(of: IDToken(Self.token()), keys: Self.keys(), at: TestTime.now)
        #expect(claims.subject == "248289761001")
        #expect(
            claims.all
                == Self.sound.mapValues { value in
                    if case .integer(let whole) = value { .number(Double(whole)) } else { value }
                })
    }

    @Test(arguments: [
        (PublishedKey.rsa, "r"), (PublishedKey.p256, "p"), (TestKey.p384, "q"), (PublishedKey.ed25519, "e"),
    ])
    func `each usual algorithm is believed`(_ pem: String, _ kid: String) throws {
        #expect(try Self.fault(Self.token(pem: pem, kid: kid)) == nil)
    }

    /// RFC 7518 § 3.1, RFC 8037 § 3.1, RFC 9864 § 2.
    @Test func `no algorithm with a public key has to be allowed first`() {
        #expect(IDTokenValidation.usualAlgorithms == Set(SignatureAlgorithm.allCases))
    }

    /// RFC 8725 § 3.11.
    @Test func `a token that says to be of another kind is no id_token`() throws {
        for type in ["JWT", "jwt", "application/jwt", "id+jwt", "JOSE", ""] {
            #expect(try Self.fault(Self.token(type: type)) == nil)
        }
        for type in [
            "at+jwt", "AT+JWT", "application/at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "+jwt", "at+jwt ",
            "logout+jwt;charset=utf-8", "application/at+JWT; a=b", "at+jwt\n", "id+jwt, at+jwt",
        ] {
            #expect(try Self.fault(Self.token(type: type)) == .typeMismatch)
        }
    }

    /// § 3.1.3.7, 7.
    @Test func `an algorithm that is not allowed is refused`() throws {
        let token = try Self.token(pem: TestKey.p384, kid: "q")
        var check = Self.check
        check.algorithms = [.RS256]
        #expect(try Self.fault(token, check) == .algorithmNotAllowed("ES384"))
        check.algorithms.insert(.ES384)
        #expect(try Self.fault(token, check) == nil)
        check.algorithms = []
        #expect(try Self.fault(token, check) == .algorithmNotAllowed("ES384"))
    }

    /// § 3.1.3.7, 2 to 11, and § 2.
    @Test(
        arguments: [
            (["iss": nil], .issuerMismatch), (["iss": .string("https://other.example.com")], .issuerMismatch),
            (["iss": .string("https://issuer.example.com/")], .issuerDiffersBySlash),
            (["iss": .string("https://ISSUER.example.com")], .issuerMismatch),
            (["iss": .array([.string("https://issuer.example.com")])], .issuerMismatch),
            (["aud": nil], .audienceMismatch), (["aud": .string("other")], .audienceMismatch),
            (["aud": .string("client ")], .audienceMismatch), (["aud": .array([])], .audienceMismatch),
            (["aud": .array([.string("other")])], .audienceMismatch), (["aud": .object([:])], .audienceMismatch),
            (["aud": .array([.string("client"), .number(1)])], .audienceMismatch),
            (["aud": .array([.array([.string("client")])])], .audienceMismatch),
            (["aud": .array([.string("client"), .string("other")])], .authorizedPartyMissing),
            (["aud": .array([.string("client"), .string("client")])], .authorizedPartyMissing),
            (
                ["aud": .array([.string("client"), .string("other")]), "azp": .string("other")],
                .authorizedPartyMismatch
            ),
            (["azp": .string("other")], .authorizedPartyMismatch), (["azp": .null], .authorizedPartyMismatch),
            (["azp": .array([.string("client")])], .authorizedPartyMismatch),
            (["exp": nil], .expiryMissing), (["exp": .string("\(now + 3600)")], .expiryMissing),
            (["exp": .null], .expiryMissing), (["exp": .integer(now - 60)], .expired), (["exp": .number(0)], .expired),
            (["exp": .number(-1e300)], .expired), (["exp": .integer(.min)], .expired),
            (["iat": nil], .issueTimeMissing), (["iat": .string("\(now)")], .issueTimeMissing),
            (["iat": .integer(now + 61)], .issuedInFuture), (["iat": .integer(.max)], .issuedInFuture),
            (["iat": .number(1e300)], .issuedInFuture), (["iat": .null], .issueTimeMissing),
            (["nbf": .integer(now + 61)], .notYetValid), (["nbf": .string("soon")], .notYetValid),
            (["nonce": nil], .nonceMismatch), (["nonce": .string("another")], .nonceMismatch),
            (["nonce": .string("n-0S6_WzA2M")], .nonceMismatch), (["nonce": .string("")], .nonceMismatch),
            (["nonce": .array([.string("n-0S6_WzA2Mj")])], .nonceMismatch),
            (["sub": nil], .subjectMalformed), (["sub": .string("")], .subjectMalformed),
            (["sub": .number(1)], .subjectMalformed),
            (["sub": .string(String(repeating: "a", count: 256))], .subjectMalformed),
        ] as [([String: JSONValue?], IDTokenError)])
    func `a claim that is wrong is refused`(_ changes: [String: JSONValue?], _ expected: IDTokenError) throws {
        #expect(try Self.fault(Self.token(changes)) == expected)
    }

    @Test(
        arguments: [
            ["aud": .array([.string("client")])], ["azp": .string("client")],
            ["aud": .array([.string("other"), .string("client")]), "azp": .string("client")],
            ["exp": .integer(now - 59)], ["exp": .number(Double(now) + 0.5)], ["exp": .number(1e300)],
            ["exp": .integer(.max)], ["iat": .integer(now + 60)], ["iat": .number(0)], ["nbf": .integer(now + 60)],
            ["nbf": .null],
            ["sub": .string(String(repeating: "a", count: 255))], ["extra": .object(["a": .array([])])],
        ] as [[String: JSONValue?]])
    func `what the rules allow is believed`(_ changes: [String: JSONValue?]) throws {
        #expect(try Self.fault(Self.token(changes)) == nil)
    }

    /// § 12.2: a refresh sends none.
    @Test func `a nonce that nobody sent is not asked for`() throws {
        var check = Self.check
        check.nonce = nil
        #expect(try Self.fault(Self.token(["nonce": nil]), check) == nil)
        #expect(try Self.fault(Self.token(["nonce": .string("any")]), check) == nil)
    }

    /// § A.6: the access token and the code of the example, and their hashes.
    @Test func `the hashes are those of the specification's example`() throws {
        var check = Self.check
        check.accessToken = AccessToken("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
        check.code = AuthorizationCode("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk")
        let hashes: [String: JSONValue?] = [
            "at_hash": .string("77QmUPtjPfzWtF2AnpK9RQ"), "c_hash": .string("LDktKdoQak3Pk0cnXxCltA"),
        ]
        #expect(try Self.fault(Self.token(hashes), check) == nil)
        #expect(try Self.fault(Self.token(hashes, pem: PublishedKey.rsa, kid: "r"), check) == nil)
        for wrong in [
            JSONValue.string("77QmUPtjPfzWtF2AnpK9RR"), .string("LDktKdoQak3Pk0cnXxCltA"), .string(""), .null,
        ] {
            #expect(try Self.fault(Self.token(["at_hash": wrong]), check) == .accessTokenMismatch)
        }
        #expect(try Self.fault(Self.token(["c_hash": .string("77QmUPtjPfzWtF2AnpK9RQ")]), check) == .codeMismatch)
        // Neither is required with the code flow.
        #expect(try Self.fault(Self.token(), check) == nil)
        // The whole digest is not its left half.
        let whole = Base64URL.encode(Digest(of: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y").bytes)
        #expect(try Self.fault(Self.token(["at_hash": .string(whole)]), check) == .accessTokenMismatch)
    }

    /// § 3.1.3.6: the digest is that of `alg`.
    @Test(arguments: [
        (PublishedKey.ed25519, "e", SignatureAlgorithm.EdDSA, 32), (TestKey.p384, "q", .ES384, 24),
        (PublishedKey.p521, "s", .ES512, 32),
    ])
    func `a longer digest has a longer half`(
        _ pem: String, _ kid: String, _ algorithm: SignatureAlgorithm, _ length: Int
    ) throws {
        var check = Self.check
        check.algorithms.insert(algorithm)
        check.accessToken = AccessToken("token")
        let half = Base64URL.encode(Array(algorithm.digest(of: Array("token".utf8)).prefix(length)))
        #expect(try Self.fault(Self.token(["at_hash": .string(half)], pem: pem, kid: kid), check) == nil)
        let other = Base64URL.encode(Array(Digest(of: "token").bytes.prefix(16)))
        #expect(
            try Self.fault(Self.token(["at_hash": .string(other)], pem: pem, kid: kid), check) == .accessTokenMismatch)
    }

    /// RFC 8032 § 5.2: Ed448 rests on SHAKE256, whatever the header calls it (RFC 9864 § 2.2).
    @Test func `with Ed448 the half is one of SHAKE256's`() throws {
        var check = Self.check
        check.accessToken = AccessToken("token")
        let half = Base64URL.encode(Array(SignatureAlgorithm.Ed448.digest(of: Array("token".utf8)).prefix(57)))
        let token = try Self.token(["at_hash": .string(half)], pem: PublishedKey.ed448, kid: "g")
        #expect(try Self.fault(token, check) == nil)
        let sha = Base64URL.encode(Array(SignatureAlgorithm.Ed25519.digest(of: Array("token".utf8)).prefix(32)))
        let other = try Self.token(["at_hash": .string(sha)], pem: PublishedKey.ed448, kid: "g")
        #expect(try Self.fault(other, check) == .accessTokenMismatch)
    }
}
