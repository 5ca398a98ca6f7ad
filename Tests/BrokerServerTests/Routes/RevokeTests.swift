import Broker
import Formats
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@Suite struct RevokeTests {
    private static func catalog(_ oauth: String) -> String {
        """
        sourceTypes:
          example:
            displayName: Example
            category: wiki
            oauth:
              authorizationURL: https://example.com/authorize
              tokenURL: https://example.com/token
        \(oauth.split(separator: "\n").map { "      " + $0 }.joined(separator: "\n"))
        """
    }

    private func revoke(
        _ oauth: String, _ body: [String: JSONValue] = [:],
        provider: ScriptedProvider = ScriptedProvider(status: 200, "")
    ) async throws -> (TestResponse, ProviderRequest?) {
        let fixture = try await Fixture(catalog: Self.catalog(oauth), provider: provider)
        let answer = try await fixture.run { client in
            let members = ["sourceType": JSONValue.string("example"), "token": .string("t/1")].merging(body) { $1 }
            return try await client.post(
                "/v1/tenants/acme/assets:revokeCredentials", members,
                token: try await fixture.token(scope: .string("credentials:write")))
        }
        return (answer, provider.requests.first)
    }

    private static let here = "revocationURL: https://example.com/revoke\n"

    /// RFC 7009 § 2.1.
    @Test func `a token is taken back`() async throws {
        let (answer, request) = try await revoke(Self.here, ["tokenTypeHint": .string("refresh_token")])
        #expect(answer.status == .noContent)
        #expect(answer.text.isEmpty)
        let sent = try #require(request)
        #expect(sent.url == "https://example.com/revoke")
        #expect(String(decoding: sent.body ?? [], as: UTF8.self) == "token=t%2F1&token_type_hint=refresh_token")
        #expect(sent.headers.contains { $0.name == "Authorization" && $0.value.hasPrefix("Basic ") })
    }

    @Test func `without an address there is none`() async throws {
        let (answer, request) = try await revoke("")
        #expect(answer.status == .conflict)
        #expect(answer.code == "revocation_unsupported")
        #expect(request == nil)
    }

    @Test(arguments: [
        (
            "revocation: { method: DELETE, token: json, tokenParameter: access_token }", "DELETE",
            "https://example.com/revoke", #"{"access_token":"t/1"}"#
        ),
        (
            "revocation: { token: bearer }", "POST", "https://example.com/revoke", ""
        ),
        (
            "revocation: { method: GET, token: query, authentication: none }", "GET",
            "https://example.com/revoke?token=t%2F1", ""
        ),
        (
            "revocation: { token: query, authentication: none, parameters: { a: '{clientId}' } }", "POST",
            "https://example.com/revoke?token=t%2F1&a=client%20id", ""
        ),
        (
            "revocation: { authentication: post }", "POST", "https://example.com/revoke",
            "token=t%2F1&client_id=client%20id&client_secret=client%3Asecret"
        ),
    ])
    func `a provider may take it otherwise`(
        _ oauth: String, _ method: String, _ url: String, _ body: String
    ) async throws {
        let (answer, request) = try await revoke(Self.here + oauth)
        #expect(answer.status == .noContent)
        let sent = try #require(request)
        #expect(sent.method.rawValue == method)
        #expect(sent.url == url)
        #expect(String(decoding: sent.body ?? [], as: UTF8.self) == body)
        let authorization = sent.headers.first { $0.name == "Authorization" }?.value
        #expect((authorization == "Bearer t/1") == oauth.contains("bearer"))
    }

    @Test func `the token may stand in the path and the client's name too`() async throws {
        let (answer, request) = try await revoke(
            "revocationURL: 'https://example.com/{clientId}/{token}'\nrevocation: { method: DELETE, token: path }")
        #expect(answer.status == .noContent)
        #expect(request?.url == "https://example.com/client%20id/t%2F1")
        #expect(request?.headers.contains { $0.name == "Authorization" } == true)
    }

    @Test func `the type that cannot be revoked is said`() async throws {
        let (answer, request) = try await revoke(
            Self.here + "revocation: { tokenType: access_token }", ["tokenTypeHint": .string("refresh_token")])
        #expect(answer.code == "revocation_unsupported")
        #expect(request == nil)
    }

    @Test func `a refusal and an error inside a 200 are told`() async throws {
        let (answer, _) = try await revoke(
            Self.here, provider: ScriptedProvider(status: 400, #"{"error":"unsupported_token_type"}"#))
        #expect(answer.code == "provider_rejected")
        let (inside, _) = try await revoke(
            Self.here + "response: { failureUnless: { pointer: /ok, equals: true } }",
            provider: ScriptedProvider(status: 200, #"{"ok":false}"#))
        #expect(inside.code == "provider_rejected")
        let (gone, _) = try await revoke(
            Self.here, provider: ScriptedProvider(status: 400, #"{"error":"invalid_token"}"#))
        #expect(gone.status == .noContent)
    }

    /// As every code: callers are told those of the protocols alone.
    @Test(arguments: ["client:secret", "secret-of-t.1", "t/1", "a1b2c3d4e5f6", "hunter_two", "Invalid_Client"])
    func `what a provider calls its error is no caller's to know`(_ error: String) async throws {
        let (answer, _) = try await revoke(
            Self.here, provider: ScriptedProvider(status: 400, #"{"error":"\#(error)"}"#))
        #expect(answer.code == "provider_rejected")
        #expect(answer.json["detail"] == .string("the provider refused; try again later, or ask the operator"))
    }

    @Test func `a hint that is none and an empty token are refused`() async throws {
        for body: [String: JSONValue] in [["tokenTypeHint": .string("id_token")], ["token": .string("")]] {
            let (answer, request) = try await revoke(Self.here, body)
            #expect(answer.code == "invalid_request")
            #expect(request == nil)
        }
    }
}
