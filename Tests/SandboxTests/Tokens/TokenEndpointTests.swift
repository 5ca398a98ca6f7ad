import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import Sandbox

struct TokenEndpointTests {
    /// RFC 6749 § 5.1.
    @Test func `a code brings tokens that may not be cached`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code())
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == "application/json")
            #expect(response.headers[.cacheControl] == "no-store")
            #expect(try response.member("token_type") == "Bearer")
            #expect(try response.member("expires_in") == "3600")
            #expect(try response.member("scope") == "files.read profile offline")
            #expect(try response.member("refresh_token")?.hasPrefix("sbx_refresh_") == true)
        }
    }

    /// RFC 6749 § 4.1.2.
    @Test func `a second use of a code is refused and revokes the grant`() async throws {
        try await Visitor.visiting { visitor in
            let code = try await visitor.code()
            let first = try await visitor.exchange(code)
            let accessToken = try #require(try first.member("access_token"))
            #expect(try await visitor.me(accessToken).status == .ok)
            let second = try await visitor.exchange(code)
            #expect(second.status == .badRequest)
            #expect(try second.member("error") == "invalid_grant")
            #expect(try await visitor.me(accessToken).status == .unauthorized)
            let refreshed = try await visitor.refresh(try #require(try first.member("refresh_token")))
            #expect(try refreshed.member("error") == "invalid_grant")
        }
    }

    @Test func `of many simultaneous exchanges of a code at most one gets tokens`() async throws {
        try await Visitor.visiting { visitor in
            let code = try await visitor.code()
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<16 { group.addTask { try await visitor.exchange(code).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == .ok } == 1)
        }
    }

    @Test func `a code lives for a minute`() async throws {
        let clock = HandClock()
        try await Visitor.visiting(now: { clock.now }) { visitor in
            let early = try await visitor.code()
            let late = try await visitor.code()
            clock.advance(by: .seconds(59))
            #expect(try await visitor.exchange(early).status == .ok)
            clock.advance(by: .seconds(1))
            #expect(try await visitor.exchange(late).member("error") == "invalid_grant")
        }
    }

    @Test func `an access token lives for an hour`() async throws {
        let clock = HandClock()
        try await Visitor.visiting(now: { clock.now }) { visitor in
            let tokens = try await visitor.exchange(try await visitor.code())
            let accessToken = try #require(try tokens.member("access_token"))
            clock.advance(by: .seconds(3599))
            #expect(try await visitor.me(accessToken).status == .ok)
            clock.advance(by: .seconds(1))
            #expect(try await visitor.me(accessToken).status == .unauthorized)
        }
    }

    /// RFC 7636 § 4.6.
    @Test(arguments: [nil, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", "short", Visitor.challenge])
    func `a code with a challenge needs its verifier`(verifier: String?) async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(), verifier: verifier)
            #expect(response.status == .badRequest)
            #expect(try response.member("error") == "invalid_grant")
        }
    }

    /// RFC 9700 § 2.1.1.
    @Test func `a verifier without a challenge is refused`() async throws {
        try await Visitor.visiting { visitor in
            let without: KeyValuePairs<String, String?> = ["code_challenge": nil, "code_challenge_method": nil]
            let downgraded = try await visitor.exchange(try await visitor.code(also: without))
            #expect(try downgraded.member("error") == "invalid_grant")
            let plain = try await visitor.exchange(try await visitor.code(also: without), verifier: nil)
            #expect(plain.status == .ok)
        }
    }

    @Test(arguments: [callback + "/", "", "http://other.test/back?kept=1"])
    func `the redirect address must be the one of the request`(redirectURI: String) async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(), redirectURI: redirectURI)
            #expect(try response.member("error") == "invalid_grant")
        }
    }

    @Test func `another client cannot use a code and does not spend it`() async throws {
        try await Visitor.visiting { visitor in
            let code = try await visitor.code()
            let other = try await visitor.exchange(code, authorization: Visitor.basic("other", "other"))
            #expect(try other.member("error") == "invalid_grant")
            #expect(try await visitor.exchange(code).status == .ok)
        }
    }

    /// RFC 6749 § 5.2: 401 with `WWW-Authenticate`.
    @Test(arguments: [
        nil, "Basic !!!", "Bearer x", "Basic", Visitor.basic("broker", "wrong"), Visitor.basic("nobody", "x"),
        "Basic " + Data("broker:s3cret :%+ü".utf8).base64EncodedString(), Visitor.basic("broker", ""),
    ])
    func `a client that is not who it says gets 401`(authorization: String?) async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(), authorization: authorization)
            #expect(response.status == .unauthorized)
            #expect(try response.member("error") == "invalid_client")
            #expect(response.headers[.wwwAuthenticate]?.hasPrefix("Basic") == true)
        }
    }

    @Test func `a client may authenticate in the body, but not twice`() async throws {
        try await Visitor.visiting { visitor in
            var form = FormFields([
                "grant_type": "authorization_code", "code": try await visitor.code(), "redirect_uri": callback,
                "code_verifier": Visitor.verifier, "client_id": "broker",
            ])
            form.append("client_secret", "s3cret :%+ü")
            let twice = try await visitor.post("/token", form, headers: [.authorization: Visitor.basic()])
            #expect(try twice.member("error") == "invalid_request")
            #expect(try await visitor.post("/token", form).status == .ok)
        }
    }

    @Test func `a public client sends its name alone`() async throws {
        try await Visitor.visiting { visitor in
            let code = try await visitor.code(also: ["client_id": "public"])
            let form = FormFields([
                "grant_type": "authorization_code", "code": code, "redirect_uri": callback,
                "code_verifier": Visitor.verifier, "client_id": "public",
            ])
            #expect(try await visitor.post("/token", form).status == .ok)
        }
    }

    @Test func `only forms and the two grants are understood`() async throws {
        try await Visitor.visiting { visitor in
            let authorized: HTTPFields = [.authorization: Visitor.basic()]
            let grant = try await visitor.post("/token", FormFields(["grant_type": "password"]), headers: authorized)
            #expect(try grant.member("error") == "unsupported_grant_type")
            let json = try await visitor.client.execute(
                uri: "/token", method: .post, headers: authorized, body: ByteBuffer(string: "{}"))
            #expect(try json.member("error") == "invalid_request")
        }
    }

    @Test func `a refresh token rotates and its reuse revokes the grant`() async throws {
        try await Visitor.visiting { visitor in
            let first = try await visitor.exchange(try await visitor.code())
            let old = try #require(try first.member("refresh_token"))
            let second = try await visitor.refresh(old)
            let new = try #require(try second.member("refresh_token"))
            #expect(new != old)
            #expect(try await visitor.refresh(old).member("error") == "invalid_grant")
            #expect(try await visitor.refresh(new).member("error") == "invalid_grant")
        }
    }

    /// RFC 7009 § 2.1 and § 2.2.
    @Test func `revoking a refresh token ends its grant`() async throws {
        try await Visitor.visiting { visitor in
            let tokens = try await visitor.exchange(try await visitor.code())
            let accessToken = try #require(try tokens.member("access_token"))
            let form = FormFields(["token": try #require(try tokens.member("refresh_token"))])
            let foreign = try await visitor.post(
                "/revoke", form, headers: [.authorization: Visitor.basic("other", "other")])
            #expect(foreign.status == .badRequest)
            #expect(try await visitor.me(accessToken).status == .ok)
            let revoked = try await visitor.post("/revoke", form, headers: [.authorization: Visitor.basic()])
            #expect(revoked.status == .ok)
            #expect(try await visitor.me(accessToken).status == .unauthorized)
            let again = try await visitor.post("/revoke", form, headers: [.authorization: Visitor.basic()])
            #expect(again.status == .ok)
            #expect(try await visitor.post("/revoke", form).status == .unauthorized)
        }
    }

    @Test func `revoking an access token leaves the refresh token`() async throws {
        try await Visitor.visiting { visitor in
            let tokens = try await visitor.exchange(try await visitor.code())
            let accessToken = try #require(try tokens.member("access_token"))
            _ = try await visitor.post(
                "/revoke", FormFields(["token": accessToken]), headers: [.authorization: Visitor.basic()])
            #expect(try await visitor.me(accessToken).status == .unauthorized)
            let refreshed = try await visitor.refresh(try #require(try tokens.member("refresh_token")))
            #expect(refreshed.status == .ok)
        }
    }

    @Test func `the account tells what the scope allows, to any origin`() async throws {
        try await Visitor.visiting { visitor in
            let tokens = try await visitor.exchange(try await visitor.code(also: ["scope": "profile"]))
            let me = try await visitor.me(try #require(try tokens.member("access_token")))
            #expect(try me.member("email") == "ada@sandbox.example")
            #expect(try me.member("files") == nil)
            #expect(me.headers[.accessControlAllowOrigin] == "*")
            let preflight = try await visitor.client.execute(uri: "/api/me", method: .options)
            #expect(preflight.headers[.accessControlAllowHeaders] == "Authorization")
            #expect(try await visitor.me("guess").headers[.accessControlAllowOrigin] == "*")
        }
    }

    /// RFC 8414 § 2.
    @Test func `the metadata names the endpoints`() async throws {
        try await Visitor.visiting { visitor in
            let metadata = try await visitor.client.execute(
                uri: "/.well-known/oauth-authorization-server", method: .get)
            #expect(try metadata.member("issuer") == providerURL)
            #expect(try metadata.member("token_endpoint") == providerURL + "/token")
            #expect(metadata.text.contains(#""code_challenge_methods_supported":["S256"]"#))
            #expect(metadata.text.contains(#""authorization_response_iss_parameter_supported":true"#))
        }
    }
}

/// A clock that moves when told to.
final class HandClock: @unchecked Sendable {
    // Guarded by `lock`.
    private var instant = ContinuousClock.now
    private let lock = NSLock()

    var now: ContinuousClock.Instant { lock.withLock { instant } }

    func advance(by duration: Duration) {
        lock.withLock { instant = instant.advanced(by: duration) }
    }
}
