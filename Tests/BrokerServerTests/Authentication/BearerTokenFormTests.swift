import Broker
import BrokerServer
import Formats
import HTTPService
import HTTPTypes
import HummingbirdTesting
import JOSE
import Secrets
import Testing

/// Tokens that two readers could read differently (RFC 8725 § 2.6 to § 2.8), and keys that could be taken for others.
@Suite struct BearerTokenFormTests {
    private let signer = TokenSigner()

    private func answer(_ token: String, tenant: String = "acme", jwks: String? = nil) async throws -> TestResponse {
        let keys = Array((jwks ?? "{\"keys\":[\(signer.jwk)]}").utf8)
        let fixture = try await Fixture(callerKeys: .fixed(VerificationKeys(jwks: keys)))
        return try await fixture.run { try await $0.get("/v1/tenants/\(tenant)/assets:sourceTypes", token: token) }
    }

    private func expectRefused(_ token: String, jwks: String? = nil) async throws {
        let answer = try await answer(token, jwks: jwks)
        #expect(answer.status == .unauthorized && answer.code == "invalid_token")
    }

    // MARK: byte for byte

    /// U+212A is a K to Unicode, and to `==`.
    @Test(arguments: ["\u{212A}iosk", "\\u212Aiosk", "kiosk", "Kiosk\u{301}", "Kiosk "])
    func `another spelling of a tenant is another tenant`(_ tenant: String) async throws {
        for claim in ["\"\(tenant)\"", "[\"\(tenant)\"]"] {
            let token = signer.token(more: #""tenant":\#(claim),"scope":"assets:read""#)
            let answer = try await answer(token, tenant: "Kiosk")
            #expect(answer.status == .forbidden && answer.code == "wrong_tenant")
        }
        #expect(
            try await answer(signer.token(more: #""tenant":"Kiosk","scope":"assets:read""#), tenant: "Kiosk").status
                == .ok)
    }

    @Test func `issuer, audience and the claim's name are compared byte for byte`() async throws {
        let rules = BearerTokenVerifier.Rules(issuer: "https://Kiosk.example", audience: "Kiosk", tenantClaim: "orgKey")
        let fixture = try await Fixture(
            rules: rules, callerKeys: .fixed(try VerificationKeys(jwks: Array("{\"keys\":[\(signer.jwk)]}".utf8))))
        let names = ["https://Kiosk.example", "Kiosk", "orgKey"]
        for (changed, expected) in [(3, 200), (0, 401), (1, 401), (2, 403)] {
            let given = names.enumerated().map { index, name in
                index == changed ? name.replacing("K", with: "\u{212A}") : name
            }
            let claims = """
                {"iss":"\(given[0])","aud":"\(given[1])","\(given[2])":"acme","exp":1790000600,"scope":"assets:read"}
                """
            let token = signer.token(header: signer.header, claims: claims)
            let answer = try await fixture.run {
                try await $0.get("/v1/tenants/acme/assets:sourceTypes", token: token)
            }
            #expect(answer.status.code == expected)
        }
    }

    // MARK: repeated members

    @Test(arguments: [
        #""tenant":"acme","tenant":"other","scope":"assets:read""#,
        #""tenant":"other","tenant":"acme","scope":"assets:read""#,
        #""tenant":"acme","scope":"assets:read","scope":"assets:read""#,
        #""tenant":"acme","\u0074enant":"acme","scope":"assets:read""#,
        #""tenant":"acme","scope":"assets:read","iss":"https://issuer.example.com""#,
        #""tenant":"acme","scope":"assets:read","exp":1890000000"#,
        #""tenant":"acme","scope":"assets:read","unknown":1,"unknown":2"#,
        #""tenant":"acme","scope":"assets:read","realm_access":{"roles":[],"roles":["x"]}"#,
    ])
    func `a claim that comes twice counts for nothing`(_ claims: String) async throws {
        try await expectRefused(signer.token(more: claims))
    }

    @Test(arguments: [
        #"{"alg":"ES256","alg":"ES256","kid":"main"}"#, #"{"alg":"ES256","kid":"other","kid":"main"}"#,
        #"{"alg":"ES256","\u006bid":"other","kid":"main"}"#, #"{"alg":"ES256","kid":"main","x":1,"x":1}"#,
        #"{"alg":"ES256","kid":"main","jwk":{"x":"a","x":"b"}}"#,
    ])
    func `a member of the header that comes twice counts for nothing`(_ header: String) async throws {
        try await expectRefused(signer.token(header: header))
    }

    // MARK: the header

    /// RFC 8725 § 3.11, RFC 9068 § 4, RFC 7515 § 4.1.9.
    @Test(arguments: [
        "JWT", "jwt", "Jwt", "application/jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/At+JWT",
    ])
    func `a token may say that it is a JWT or an access token`(_ type: String) async throws {
        let header = #"{"alg":"ES256","kid":"main","typ":"\#(type)"}"#
        #expect(try await answer(signer.token(header: header)).status == .ok)
    }

    @Test(arguments: [
        "\"id_token+jwt\"", "\"logout+jwt\"", "\"dpop+jwt\"", "\"secevent+jwt\"", "\"JWS\"", "\"\"", "\"application/\"",
        "\"application/application/jwt\"", "\"text/jwt\"", "\"JWT \"", "null", "1", "[\"JWT\"]", "\"at-jwt\"",
        "\"at+jwt\u{301}\"", "\"oauth-authz-req+jwt\"",
    ])
    func `a token of another kind is no access token`(_ type: String) async throws {
        try await expectRefused(signer.token(header: #"{"alg":"ES256","kid":"main","typ":\#(type)}"#))
    }

    @Test(arguments: [
        #"{"alg":"ES256","kid":1}"#, #"{"alg":"ES256","kid":null}"#, #"{"alg":"ES256","kid":["main"]}"#,
        #"{"alg":"ES256","kid":"main","crit":["exp"],"exp":1}"#, #"{"alg":"ES256","kid":"main","crit":[]}"#,
        #"{"alg":"ES256","kid":"main","b64":false}"#, #"{"alg":"ES256","kid":"main","b64":true,"crit":["b64"]}"#,
        #"{"alg":["ES256"],"kid":"main"}"#, #"{"kid":"main"}"#, #"["ES256"]"#, #"{"alg":"ES256","kid":"MAIN"}"#,
    ])
    func `a header that says something else is refused`(_ header: String) async throws {
        try await expectRefused(signer.token(header: header))
    }

    // MARK: keys

    @Test func `of two keys with one name either signs`() async throws {
        let other = TokenSigner()
        let jwks = "{\"keys\":[\(signer.jwk),\(other.jwk)]}"
        #expect(try await answer(signer.token(), jwks: jwks).status == .ok)
        #expect(try await answer(other.token(), jwks: jwks).status == .ok)
        try await expectRefused(TokenSigner().token(), jwks: jwks)
    }

    @Test func `without a kid one key alone must fit`() async throws {
        let header = #"{"alg":"ES256"}"#
        #expect(try await answer(signer.token(header: header)).status == .ok)
        try await expectRefused(
            signer.token(header: header), jwks: "{\"keys\":[\(signer.jwk),\(TokenSigner("other").jwk)]}")
    }

    /// RFC 8725 § 3.1.
    @Test func `a secret in a key set signs nothing`() async throws {
        let secret = SecretBytes([UInt8](repeating: 7, count: 32))
        let k = Base64URL.encode([UInt8](repeating: 7, count: 32))
        let jwks = #"{"keys":[{"kty":"oct","kid":"shared","alg":"HS256","k":"\#(k)"},\#(signer.jwk)]}"#
        let claims = signer.token().split(separator: ".")[1]
        for kid in ["shared", "main"] {
            let input = Base64URL.encode(Array(#"{"alg":"HS256","kid":"\#(kid)"}"#.utf8)) + ".\(claims)"
            let code = HMACSHA256.code(of: Array(input.utf8), key: secret)
            try await expectRefused("\(input).\(Base64URL.encode(code))", jwks: jwks)
        }
        #expect(try await answer(signer.token(), jwks: jwks).status == .ok)
    }
}
