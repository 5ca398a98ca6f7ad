import Broker
import BrokerServer
import Formats
import Foundation
import HTTPTypes
import HummingbirdTesting
import JOSE
import Secrets
import Testing

@Suite struct BearerTokenVerifierTests {
    private let uri = "/v1/tenants/acme/assets:sourceTypes"

    private func answer(_ fixture: Fixture, _ token: String?) async throws -> TestResponse {
        try await fixture.run { try await $0.get(uri, token: token) }
    }

    /// RFC 6750 § 3.
    @Test func `without a token the call is told what to bring`() async throws {
        let answer = try await answer(Fixture(), nil)
        #expect(answer.status == .unauthorized)
        #expect(answer.code == "invalid_token")
        #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
    }

    @Test func `a sound token passes, and is remembered only while it lives`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token()
        #expect(try await answer(fixture, token).status == .ok)
        #expect(try await answer(fixture, token).status == .ok)
        fixture.clock.advance(seconds: 600 + 59)
        #expect(try await answer(fixture, token).status == .ok)
        fixture.clock.advance(seconds: 2)
        #expect(try await answer(fixture, token).status == .unauthorized)
    }

    @Test(arguments: [
        ["iss": JSONValue.string("https://evil.example")], ["iss": .null], ["aud": .string("other")], ["aud": .null],
        ["exp": .null], ["exp": .string("1900000000")], ["exp": .number(1)], ["nbf": .number(1_790_000_061)],
        ["nbf": .string("now")],
    ])
    func `a token that says something wrong is refused`(_ changes: [String: JSONValue]) async throws {
        let fixture = try await Fixture()
        let answer = try await answer(fixture, fixture.token(changing: changes))
        #expect(answer.status == .unauthorized)
        #expect(answer.code == "invalid_token")
        #expect(answer.headers[.wwwAuthenticate]?.contains("error=\"invalid_token\"") == true)
    }

    @Test func `clocks may differ by a minute`() async throws {
        let fixture = try await Fixture()
        #expect(try await answer(fixture, fixture.token(changing: ["nbf": .number(1_790_000_060)])).status == .ok)
        #expect(try await answer(fixture, fixture.token(changing: ["exp": .number(1_789_999_941)])).status == .ok)
        #expect(
            try await answer(fixture, fixture.token(changing: ["exp": .number(1_789_999_940)])).status == .unauthorized)
    }

    @Test func `another's signature, no signature and a changed claim are refused`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token()
        let parts = token.split(separator: ".").map(String.init)
        let none = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))
        let unknown = Base64URL.encode(Array(#"{"alg":"ES256","kid":"other"}"#.utf8))
        let critical = Base64URL.encode(Array(#"{"alg":"ES256","kid":"main","crit":["x"]}"#.utf8))
        let claims = Base64URL.encode(Array(#"{"tenant":"acme"}"#.utf8))
        for bad in [
            try await fixture.token(byStranger: true), "\(none).\(parts[1]).", "\(unknown).\(parts[1]).\(parts[2])",
            "\(critical).\(parts[1]).\(parts[2])", "\(parts[0]).\(claims).\(parts[2])", "a.b.c", "a", "", "..",
            token + "=", String(repeating: "a", count: 20_000),
        ] {
            #expect(try await answer(fixture, bad).status == .unauthorized)
        }
    }

    @Test func `the tenant claim is text or a list`() async throws {
        let fixture = try await Fixture()
        let list: JSONValue = .array([.string("x"), .string("acme")])
        #expect(try await answer(fixture, fixture.token(tenant: list)).status == .ok)
        for other in [JSONValue.string("acme2"), .array([]), .object([:]), .string("Acme")] {
            let answer = try await answer(fixture, fixture.token(tenant: other))
            #expect(answer.status == .forbidden)
            #expect(answer.code == "wrong_tenant")
        }
    }

    @Test func `the scope is text or a list, and decides what may be called`() async throws {
        let fixture = try await Fixture()
        let list: JSONValue = .array([.string("x"), .string("assets:read")])
        #expect(try await answer(fixture, fixture.token(scope: list)).status == .ok)
        let other = try await answer(fixture, fixture.token(scope: .string("assets:reader")))
        #expect(other.status == .forbidden)
        #expect(other.code == "insufficient_scope")
        let reader = try await fixture.token(scope: .string("assets:read"))
        let write = try await fixture.run { try await $0.post("/v1/tenants/acme/assets:authorize", [:], token: reader) }
        #expect(write.code == "insufficient_scope")
    }

    @Test func `a shared secret must be long enough`() {
        #expect(throws: VerificationKeys.Fault.secretTooShort) {
            try VerificationKeys(sharedSecret: SecretBytes([UInt8](repeating: 1, count: 31)))
        }
    }

    @Test(arguments: ["", "[]", "{}", #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","k":"AAAA"}]}"#])
    func `a set without a usable key is refused`(_ jwks: String) {
        #expect(throws: VerificationKeys.Fault.self) { try VerificationKeys(jwks: Array(jwks.utf8)) }
    }
}
