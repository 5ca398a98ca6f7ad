import Broker
import BrokerServer
import Formats
import HTTPService
import HTTPTypes
import HummingbirdTesting
import Testing

@Suite struct LimitsTests {
    private static let limit = HTTPField.Name("RateLimit")!
    private static let policy = HTTPField.Name("RateLimit-Policy")!
    private static let forwardedFor = HTTPField.Name("X-Forwarded-For")!

    private let json: HTTPFields = [.accept: "application/json"]

    private func fixture(_ limits: Limits) async throws -> Fixture {
        try await Fixture(
            limits: limits, proxies: TrustedProxies(["127.0.0.0/8", "::1"].compactMap { AddressBlock($0) }))
    }

    @Test func `without limits nothing is said of any`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            let token = try await fixture.token()
            for _ in 0..<50 {
                let answer = try await client.post(
                    "/v1/tenants/acme/assets:authorize", ["sourceType": .string("example")], token: token)
                #expect(answer.status == .ok)
                #expect(answer.headers[Self.limit] == nil)
            }
        }
    }

    @Test func `a tenant that authorizes too often waits, another does not`() async throws {
        let fixture = try await fixture(Limits(authorizePerTenant: 0.3))
        try await fixture.run { client async throws in
            let uri = "/v1/tenants/acme/assets:authorize"
            let body: [String: JSONValue] = ["sourceType": .string("example")]
            let token = try await fixture.token()
            for remaining in [2, 1, 0] {
                let answer = try await client.post(uri, body, token: token)
                #expect(answer.status == .ok)
                #expect(answer.headers[Self.policy] == "\"tenant\";q=3;w=10")
                #expect(answer.headers[Self.limit]?.hasPrefix("\"tenant\";r=\(remaining);t=") == true)
            }
            let refused = try await client.post(uri, body, token: token)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.code == "rate_limited")
            #expect(refused.headers[.retryAfter] == "4")
            #expect(refused.headers[Self.limit]?.hasPrefix("\"tenant\";r=0;t=") == true)

            _ = try await fixture.authorize(client, tenant: "other")
            fixture.steadyClock.advance(.seconds(4))
            #expect(try await client.post(uri, body, token: token).status == .ok)
        }
    }

    @Test(arguments: ["refresh", "revoke"])
    func `a tenant that refreshes or revokes too often waits, another does not, and nothing is asked of a provider`(
        _ call: String
    ) async throws {
        let fixture = try await fixture(
            call == "refresh" ? Limits(refreshPerTenant: 0.1) : Limits(revokePerTenant: 0.1))
        try await fixture.run { client async throws in
            func ask(_ tenant: String) async throws -> TestResponse {
                try await client.post(
                    "/v1/tenants/\(tenant)/assets:\(call)Credentials",
                    ["sourceType": .string("example"), "refreshToken": .string("r"), "token": .string("r")],
                    token: try await fixture.token(tenant: .string(tenant), scope: .string("credentials:write")))
            }
            #expect(try await ask("acme").status != .tooManyRequests)
            let asked = fixture.provider.requests.count
            let refused = try await ask("acme")
            #expect(refused.code == "rate_limited")
            #expect(refused.headers[.retryAfter] == "10")
            #expect(refused.headers[Self.policy] == "\"tenant\";q=1;w=10")
            #expect(fixture.provider.requests.count == asked)
            #expect(try await ask("other").status != .tooManyRequests)
        }
    }

    /// Else anybody could keep a tenant out.
    @Test func `only the tenant's own callers count`() async throws {
        let fixture = try await fixture(Limits(authorizePerTenant: 0.1))
        try await fixture.run { client async throws in
            let uri = "/v1/tenants/acme/assets:authorize"
            for _ in 0..<5 {
                #expect(try await client.post(uri, [:]).status == .unauthorized)
                let foreign = try await fixture.token(tenant: .string("other"))
                #expect(try await client.post(uri, [:], token: foreign).status == .forbidden)
                let stranger = try await fixture.token(byStranger: true)
                #expect(try await client.post(uri, [:], token: stranger).status == .unauthorized)
            }
            _ = try await fixture.authorize(client)
        }
    }

    @Test func `a refused callback spends no state`() async throws {
        let fixture = try await fixture(Limits(callbackPerAddress: 0.1))
        let json = json
        try await fixture.run { client async throws in
            let started = try await fixture.authorize(client)
            #expect(try await client.get("/oauth/callback?state=x", json).code == "invalid_state")
            let uri = "\(started.callback)?code=c&state=\(started.state)"

            let page = try await client.get(uri, [.accept: "text/html"])
            #expect(page.status == .tooManyRequests)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.headers[.retryAfter] == "10")
            #expect(page.text.contains("Too many attempts at once"))
            let problem = try await client.get(uri, json)
            #expect(problem.status == .tooManyRequests)
            #expect(problem.code == "rate_limited")
            let form = try await client.execute(
                uri: "/oauth/callback", method: .post,
                headers: [.contentType: "application/x-www-form-urlencoded", .accept: "application/json"], body: nil)
            #expect(form.code == "rate_limited")

            fixture.steadyClock.advance(.seconds(10))
            #expect(try await client.get(uri).status == .found)
        }
    }

    @Test(arguments: [HTTPRequest.Method.get, .post])
    func `a refused redemption spends no key`(_ method: HTTPRequest.Method) async throws {
        let fixture = try await fixture(Limits(redeemPerAddress: 0.1))
        try await fixture.run { client async throws in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            @Sendable func redeem(_ key: String) async throws -> TestResponse {
                let uri = "/v1/tenants/acme/assets:oauthCredentials"
                if method == .get { return try await client.get("\(uri)?credentialKey=\(key)") }
                return try await client.post(uri, ["credentialKey": .string(key)])
            }
            let bad = try await redeem("wrong")
            #expect(bad.code == "invalid_credential_key")
            #expect(bad.headers[Self.limit] == "\"address\";r=0;t=10")
            let refused = try await redeem(key)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.contentType] == "application/problem+json")
            fixture.steadyClock.advance(.seconds(10))
            #expect(try await redeem(key).status == .ok)
        }
    }

    @Test func `each client's address counts by itself, an IPv6 network as one`() async throws {
        let fixture = try await fixture(Limits(redeemPerAddress: 0.1))
        try await fixture.run(.live) { client async throws in
            @Sendable func redeem(from address: String) async throws -> HTTPResponse.Status {
                try await client.get(
                    "/v1/tenants/acme/assets:oauthCredentials?credentialKey=x", [Self.forwardedFor: address]
                ).status
            }
            #expect(try await redeem(from: "192.0.2.1") == .badRequest)
            #expect(try await redeem(from: "192.0.2.1") == .tooManyRequests)
            #expect(try await redeem(from: "198.51.100.1, 192.0.2.1") == .tooManyRequests)
            #expect(try await redeem(from: "192.0.2.2") == .badRequest)
            #expect(try await redeem(from: "2001:db8::1") == .badRequest)
            #expect(try await redeem(from: "2001:db8::ffff:2") == .tooManyRequests)
            #expect(try await redeem(from: "2001:db8:0:1::1") == .badRequest)
            #expect(try await redeem(from: "not an address") == .badRequest)
            #expect(try await redeem(from: "nor this one") == .tooManyRequests)
        }
    }

    @Test func `a peer that is not trusted cannot choose its address`() async throws {
        let fixture = try await Fixture(limits: Limits(redeemPerAddress: 0.1))
        try await fixture.run(.live) { client async throws in
            let uri = "/v1/tenants/acme/assets:oauthCredentials?credentialKey=x"
            #expect(try await client.get(uri, [Self.forwardedFor: "192.0.2.1"]).status == .badRequest)
            #expect(try await client.get(uri, [Self.forwardedFor: "192.0.2.2"]).status == .tooManyRequests)
        }
    }

    @Test func `asking for a flow's outcome each second is not limited`() async throws {
        let fixture = try await fixture(
            Limits(authorizePerTenant: 0.1, callbackPerAddress: 0.1, redeemPerAddress: 0.1))
        try await fixture.run { client async throws in
            let started = try await fixture.authorize(client)
            for _ in 0..<30 {
                let uri = "/v1/tenants/acme/assets:oauthFlow?flow=\(started.flow)&exchangeVerifier=x"
                #expect(try await client.get(uri).status == .ok)
            }
        }
    }

    @Test func `a tenant with too many flows outstanding waits, then all do`() async throws {
        let fixture = try await Fixture(bounds: FlowBounds(perTenant: 2, inAll: 3))
        try await fixture.run { client async throws in
            func authorize(_ tenant: String) async throws -> TestResponse {
                try await client.post(
                    "/v1/tenants/\(tenant)/assets:authorize", ["sourceType": .string("example")],
                    token: try await fixture.token(tenant: .string(tenant)))
            }
            for _ in 0..<2 { #expect(try await authorize("acme").status == .ok) }
            let refused = try await authorize("acme")
            #expect(refused.status == .tooManyRequests)
            #expect(refused.code == "rate_limited")
            #expect(refused.headers[.retryAfter] == "10")
            #expect(refused.headers[.contentType] == "application/problem+json")

            #expect(try await authorize("other").status == .ok)
            for tenant in ["acme", "other", "third"] {
                let refused = try await authorize(tenant)
                #expect(refused.status == .serviceUnavailable)
                #expect(refused.code == "unavailable")
                #expect(refused.headers[.retryAfter] == "5")
            }
        }
    }
}
