import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Sandbox

struct AuthorizationRequestTests {
    /// RFC 6749 § 4.1.2.1: these two must not redirect.
    @Test(arguments: [
        ("client_id", nil), ("client_id", "nobody"), ("client_id", "<script>"), ("redirect_uri", nil),
        ("redirect_uri", callback + "/"), ("redirect_uri", callback + "?x=1"), ("redirect_uri", "http://evil.test/"),
        ("redirect_uri", "http://other.test/back?kept=1"), ("redirect_uri", "http://broker.test/oauth"),
    ])
    func `an unknown client or redirect address gets a page and no redirect`(name: String, value: String?) async throws
    {
        try await Visitor.visiting { visitor in
            let response = try await visitor.authorize([name: value])
            #expect(response.status == .badRequest)
            #expect(response.headers[.location] == nil)
            #expect(response.headers[.contentType] == "text/html; charset=utf-8")
            #expect(!response.text.contains("<script"))
        }
    }

    @Test(arguments: [
        ("response_type", "token", "unsupported_response_type"), ("response_type", nil, "unsupported_response_type"),
        ("state", nil, "invalid_request"), ("scope", "a  b", "invalid_scope"), ("scope", "\"", "invalid_scope"),
        ("code_challenge_method", nil, "invalid_request"), ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", nil, "invalid_request"), ("code_challenge", "short", "invalid_request"),
    ])
    func `any other fault is sent back to the client`(name: String, value: String?, error: String) async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.authorize([name: value])
            #expect(response.status == .found)
            #expect(response.headers[.location]?.hasPrefix(callback + "?") == true)
            #expect(response.sentBack["error"] == error)
            #expect(response.sentBack["state"] == (name == "state" ? nil : "st&te="))
            #expect(response.sentBack["iss"] == providerURL)
        }
    }

    @Test func `a repeated parameter is refused`() async throws {
        try await Visitor.visiting { visitor in
            let query = Visitor.request().encoded + "&scope=profile"
            let response = try await visitor.client.execute(uri: "/authorize?\(query)", method: .get)
            #expect(response.sentBack["error"] == "invalid_request")
        }
    }

    @Test func `a public client must use PKCE and a confidential one may`() async throws {
        try await Visitor.visiting { visitor in
            let without: KeyValuePairs<String, String?> = [
                "client_id": "public", "code_challenge": nil, "code_challenge_method": nil,
            ]
            let refused = try await visitor.authorize(without)
            #expect(refused.sentBack["error"] == "invalid_request")
            let page = try await visitor.authorize(["code_challenge": nil, "code_challenge_method": nil])
            #expect(page.status == .ok)
        }
    }

    @Test func `a script is answered without pages`() async throws {
        try await Visitor.visiting { visitor in
            let allowed = try await visitor.authorize(["sandbox_auto": "allow"])
            #expect(allowed.status == .found)
            #expect(allowed.sentBack["code"] != nil)
            #expect(allowed.sentBack["state"] == "st&te=")
            #expect(allowed.sentBack["iss"] == providerURL)
            let denied = try await visitor.authorize(["sandbox_auto": "deny"])
            #expect(denied.sentBack["error"] == "access_denied")
            #expect(denied.sentBack["code"] == nil)
        }
    }

    @Test(arguments: ["sandbox_auto", "sandbox_behaviour", "sandbox_account"])
    func `a script's mistake is told on a page`(name: String) async throws {
        try await Visitor.visiting { visitor in
            let changes: KeyValuePairs<String, String?> =
                name == "sandbox_auto" ? [name: "<what>"] : ["sandbox_auto": "allow", name: "<what>"]
            let response = try await visitor.authorize(changes)
            #expect(response.status == .badRequest)
            #expect(!response.text.contains("<what>"))
        }
    }

    @Test func `a redirect address with a query keeps it`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.authorize([
                "client_id": "other", "redirect_uri": "http://other.test/back?kept=1", "sandbox_auto": "allow",
            ])
            #expect(response.headers[.location]?.hasPrefix("http://other.test/back?kept=1&code=") == true)
        }
    }
}
