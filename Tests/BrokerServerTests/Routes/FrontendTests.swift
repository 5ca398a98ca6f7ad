import Broker
import Formats
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

/// The pages that a tenant's flows talk to and end at.
@Suite struct FrontendTests {
    /// RFC 7636 appendix B.
    private static let challenge = JSONValue.string("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")

    private static func fixture(
        origins: [String] = [Fixture.origin], returnURLs: [String] = [], own: [String] = ["https://acme.example.com"],
        ownReturnURLs: [String] = []
    ) async throws -> Fixture {
        try await Fixture(
            origins: origins,
            tenants: [
                "acme": Frontend(
                    origins: own.compactMap { OriginPattern($0) },
                    returnURLs: ownReturnURLs.compactMap { ReturnURL($0) })
            ], returnURLs: returnURLs)
    }

    private static func status(
        _ client: some TestClientProtocol, _ fixture: Fixture, tenant: String, origin: String? = nil,
        returnURL: String? = nil
    ) async throws -> Int {
        var members: [String: JSONValue] = ["sourceType": .string("example")]
        members["frontendOrigin"] = origin.map(JSONValue.string)
        members["returnUrl"] = returnURL.map(JSONValue.string)
        if returnURL != nil { members["exchangeChallenge"] = challenge }
        let token = try await fixture.token(tenant: .string(tenant))
        let answer = try await client.post("/v1/tenants/\(tenant)/assets:authorize", members, token: token)
        if answer.status != .ok { #expect(answer.code == "invalid_request") }
        return answer.status.code
    }

    @Test func `a tenant's own list replaces the general one, in flows and in CORS`() async throws {
        let fixture = try await Self.fixture()
        try await fixture.run { client async throws in
            for (tenant, origin, isAllowed) in [
                ("acme", "https://acme.example.com", true), ("acme", Fixture.origin, false),
                ("other", "https://acme.example.com", false), ("other", Fixture.origin, true),
            ] {
                let status = try await Self.status(client, fixture, tenant: tenant, origin: origin)
                #expect(status == (isAllowed ? 200 : 400))
                let page = try await Self.status(
                    client, fixture, tenant: tenant, returnURL: origin + "/done")
                #expect(page == (isAllowed ? 200 : 400))
                for method in [HTTPRequest.Method.options, .get] {
                    let answer = try await client.execute(
                        uri: "/v1/tenants/\(tenant)/assets:sourceTypes", method: method,
                        headers: [.origin: origin, .accessControlRequestMethod: "GET"])
                    #expect(answer.headers[.accessControlAllowOrigin] == (isAllowed ? origin : nil))
                }
            }
        }
    }

    @Test func `a flow whose caller names no origin talks to the tenant's first`() async throws {
        let fixture = try await Self.fixture()
        try await fixture.run { client async throws in
            for (tenant, origin) in [("acme", "https://acme.example.com"), ("other", Fixture.origin)] {
                let started = try await fixture.authorize(client, tenant: tenant)
                let answer = try await client.get("/oauth/frontendOrigin?flow=\(started.flow)")
                #expect(answer.json["frontendOrigin"] == .string(origin))
            }
        }
    }

    @Test func `a star is no origin to fall back on`() async throws {
        let fixture = try await Self.fixture(own: ["https://*.acme.example.com"])
        try await fixture.run { client async throws in
            #expect(try await Self.status(client, fixture, tenant: "acme") == 400)
            let origin = "https://pr-1.acme.example.com"
            #expect(try await Self.status(client, fixture, tenant: "acme", origin: origin) == 200)
            #expect(try await Self.status(client, fixture, tenant: "acme", origin: "https://*.acme.example.com") == 400)
        }
        let second = try await Self.fixture(own: ["https://*.acme.example.com", "https://acme.example.com"])
        try await second.run { client async throws in
            let started = try await second.authorize(client)
            let answer = try await client.get("/oauth/frontendOrigin?flow=\(started.flow)")
            #expect(answer.json["frontendOrigin"] == .string("https://acme.example.com"))
        }
    }

    @Test func `where return addresses are listed, they are taken exactly and no others`() async throws {
        let listed = ["https://app.example.com/connected", "com.example.app:/connected"]
        let fixture = try await Self.fixture(returnURLs: listed)
        try await fixture.run { client async throws in
            for url in listed {
                #expect(try await Self.status(client, fixture, tenant: "other", returnURL: url) == 200)
            }
            for url in [
                "https://app.example.com/connected/", "https://app.example.com/connected?a=b",
                "https://app.example.com/", "https://APP.example.com/connected",
                "https://app.example.com:443/connected",
                "com.example.app:/other", "com.example.app:/connected?a", "com.example.other:/connected",
            ] {
                #expect(try await Self.status(client, fixture, tenant: "other", returnURL: url) == 400)
            }
            // A tenant with lists of its own has none of these.
            #expect(try await Self.status(client, fixture, tenant: "acme", returnURL: listed[0]) == 400)
            let own = "https://acme.example.com/anything"
            #expect(try await Self.status(client, fixture, tenant: "acme", returnURL: own) == 200)
        }
    }

    /// RFC 8252 § 7.1.
    @Test func `a flow ends at an app's own scheme, also when it fails`() async throws {
        let address = "com.example.app:/connected"
        let fixture = try await Self.fixture(ownReturnURLs: [address])
        try await fixture.run { client async throws in
            let members: [String: JSONValue] = ["returnUrl": .string(address), "exchangeChallenge": Self.challenge]
            let good = try await fixture.authorize(client, members)
            let ended = try await client.get("\(good.callback)?code=c&state=\(good.state)")
            #expect(ended.headers[.location]?.hasPrefix("com.example.app:/connected#credentialKey=") == true)
            let bad = try await fixture.authorize(client, members)
            let denied = try await client.get("\(bad.callback)?error=access_denied&state=\(bad.state)")
            #expect(
                denied.headers[.location] == "com.example.app:/connected#error=access_denied&flow=\(bad.flow)")
        }
    }
}
