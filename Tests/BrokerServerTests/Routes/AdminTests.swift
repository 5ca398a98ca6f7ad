import Broker
import Formats
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Secrets
import Testing
import Transport

@Suite struct AdminTests {
    private static let catalog =
        Fixture.catalog + """

              revocable:
                displayName: With revocation
                category: wiki
                provider: example
                oauth:
                  authorizationURL: https://example.com/authorize
                  tokenURL: https://example.com/token
                  revocationURL: https://example.com/revoke
            """

    private let fixture: Fixture

    init() async throws {
        fixture = try await Fixture(catalog: Self.catalog)
    }

    private func admin() async throws -> String {
        try await fixture.token(
            tenant: .null, scope: .string("broker:admin"),
            changing: ["sub": .string("ops"), "jti": .string("t-1")])
    }

    // MARK: who may call

    @Test(arguments: [
        ("/v1/admin/credentialKeys", HTTPRequest.Method.get), ("/v1/admin/auditEvents", .get),
        ("/v1/admin/revocations", .post), ("/v1/admin/tenants/acme/clients/example", .get),
        ("/v1/admin/tenants/acme/clients/example", .put), ("/v1/admin/tenants/acme/clients/example", .delete),
    ])
    func `only operators may call`(_ path: String, _ method: HTTPRequest.Method) async throws {
        let tenant = try await fixture.token(scope: .string("assets:write assets:read credentials:write"))
        try await fixture.run { client in
            let none = try await client.execute(uri: path, method: method, headers: [:], body: nil)
            #expect(none.status == .unauthorized)
            let wrong = try await client.execute(
                uri: path, method: method, headers: [.authorization: "Bearer \(tenant)"], body: nil)
            #expect(wrong.status == .forbidden)
            #expect(wrong.code == "insufficient_scope")
        }
    }

    // MARK: keys

    @Test func `outstanding keys are listed without any secret`() async throws {
        let token = try await admin()
        try await fixture.run { client in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            let answer = try await client.get("/v1/admin/credentialKeys", token: token)
            #expect(answer.status == .ok)
            #expect(answer.headers[.cacheControl] == "no-store")
            let item = try #require(answer.items.first)
            #expect(
                Set(item.keys) == ["id", "tenant", "sourceType", "flow", "createdAt", "expiresAt"])
            #expect(item["tenant"] == .string("acme"))
            #expect(item["createdAt"] == .number(1_790_000_000_000))
            #expect(item["expiresAt"] == .number(1_790_000_300_000))
            for secret in [key, "t0ken", "r3fresh"] { #expect(!answer.text.contains(secret)) }
            #expect(answer.json["nextPageToken"] == .null)
        }
    }

    @Test func `pages follow one another`() async throws {
        let token = try await admin()
        try await fixture.run { client in
            for _ in 0..<5 { _ = try await fixture.connect(client) }
            for list in ["credentialKeys", "auditEvents"] {
                var seen: [JSONValue?] = []
                var next = ""
                repeat {
                    let answer = try await client.get("/v1/admin/\(list)?pageSize=2\(next)", token: token)
                    seen += answer.items.map { $0["id"] }
                    next = answer.json["nextPageToken"]?.string.map { "&pageToken=\($0)" } ?? ""
                } while !next.isEmpty
                #expect(Set(seen).count == (list == "credentialKeys" ? 5 : 10))
                #expect(seen.count == Set(seen).count)
            }
        }
    }

    @Test(arguments: [
        "credentialKeys?pageSize=0", "credentialKeys?pageSize=1001", "credentialKeys?pageSize=x",
        "credentialKeys?pageSize=-1", "credentialKeys?pageSize=1.5", "credentialKeys?pageSize=",
        "credentialKeys?pageToken=x", "credentialKeys?pageToken=", "credentialKeys?tenant=a%20b",
        "credentialKeys?sourceType=A", "auditEvents?pageSize=0", "auditEvents?pageToken=x", "auditEvents?pageToken=-1",
        "auditEvents?type=flow", "auditEvents?since=yesterday", "auditEvents?tenant=!",
        "auditEvents?pageSize=99999999999999999999",
    ])
    func `a query that means nothing is told`(_ query: String) async throws {
        let token = try await admin()
        try await fixture.run { client in
            let answer = try await client.get("/v1/admin/\(query)", token: token)
            #expect(answer.status == .badRequest)
            #expect(answer.code == "invalid_request")
        }
    }

    // MARK: revocations

    @Test func `a revoked key is refused, and the provider takes its token back`() async throws {
        let token = try await admin()
        try await fixture.run { client in
            let key = try #require(
                try await fixture.connect(client, ["sourceType": .string("revocable")])["credentialKey"])
            let kept = try #require(try await fixture.connect(client)["credentialKey"])
            let begun = try await fixture.authorize(client, ["sourceType": .string("revocable")])
            let answer = try await client.post(
                "/v1/admin/revocations", ["sourceType": .string("revocable"), "reason": .string("stolen laptop")],
                token: token)
            #expect(answer.status == .ok)
            #expect(answer.json["credentialKeysRevoked"] == .number(1))
            #expect(answer.json["revokedAtProvider"] == .number(1))
            #expect(answer.json["withoutRevocation"] == .number(0))
            #expect(answer.json["providerFailures"] == .array([]))
            let request = try #require(fixture.provider.requests.last)
            #expect(request.url == "https://example.com/revoke")
            #expect(request.body.map { String(decoding: $0, as: UTF8.self) }?.contains("token=r3fresh") == true)

            let path = "/v1/tenants/acme/assets:oauthCredentials?credentialKey="
            #expect(try await client.get(path + key).code == "invalid_credential_key")
            #expect(try await client.get(path + kept).status == .ok)
            let late = try await client.get(
                "\(begun.callback)?code=c&state=\(begun.state)", [.accept: "application/json"])
            #expect(late.code == "invalid_state")

            let events = try await client.get("/v1/admin/auditEvents?type=revocation", token: token).items
            #expect(events.count == 2)
            #expect(events.allSatisfy { $0["actor"] == .string("ops") && $0["tokenId"] == .string("t-1") })
            #expect(events.last?["detail"] == .string("stolen laptop"))
            let own = try await client.get("/v1/admin/auditEvents?type=flow.started&tenant=acme", token: token).items
            #expect(own.count == 3)
        }
    }

    @Test func `a provider without revocation is no failure, and nobody is asked who should not be`() async throws {
        let token = try await admin()
        try await fixture.run { client in
            _ = try await fixture.connect(client)
            _ = try await fixture.connect(client, ["sourceType": .string("revocable")])
            let asked = fixture.provider.requests.count
            let answer = try await client.post(
                "/v1/admin/revocations",
                ["all": .bool(true), "reason": .string("r"), "revokeAtProvider": .bool(false)], token: token)
            #expect(answer.json["credentialKeysRevoked"] == .number(2))
            #expect(answer.json["revokedAtProvider"] == .number(0))
            #expect(fixture.provider.requests.count == asked)

            _ = try await fixture.connect(client)
            let second = try await client.post(
                "/v1/admin/revocations", ["tenant": .string("acme"), "reason": .string("r")], token: token)
            #expect(second.json["credentialKeysRevoked"] == .number(1))
            #expect(second.json["withoutRevocation"] == .number(1))
        }
    }

    @Test func `a dead provider is told per key, and asked no more than a few times`() async throws {
        let provider = ScriptedProvider { request throws(TransportError) in
            if request.url.hasSuffix("/revoke") { throw .unreachable }
            return ProviderResponse(
                status: 200, body: Array(#"{"access_token":"t0ken","expires_in":3600}"#.utf8))
        }
        let fixture = try await Fixture(catalog: Self.catalog, provider: provider)
        let token = try await fixture.token(tenant: .null, scope: .string("broker:admin"))
        try await fixture.run { client in
            for _ in 0..<40 { _ = try await fixture.connect(client, ["sourceType": .string("revocable")]) }
            let answer = try await client.post(
                "/v1/admin/revocations", ["tenant": .string("acme"), "reason": .string("r")], token: token)
            #expect(answer.json["credentialKeysRevoked"] == .number(40))
            guard case .array(let failures)? = answer.json["providerFailures"] else {
                Issue.record("no failures")
                return
            }
            #expect(failures.count == 40)
            guard case .object(let failure)? = failures.first else { return }
            #expect(Set(failure.keys) == ["id", "sourceType", "code"])
            #expect(failure["code"] == .string("provider_unreachable"))
            #expect(provider.requests.filter { $0.url.hasSuffix("/revoke") }.count < 24)
        }
    }

    @Test(
        arguments: [
            [:], ["reason": .string("r")], ["all": .bool(true)], ["all": .bool(false), "reason": .string("r")],
            ["all": .bool(true), "tenant": .string("acme"), "reason": .string("r")],
            ["tenant": .string(""), "reason": .string("r")], ["tenant": .string("acme"), "reason": .string("")],
            ["sourceType": .string("No"), "reason": .string("r")], ["id": .string("x"), "reason": .string("r")],
            ["tenant": .number(1), "reason": .string("r")],
        ] as [[String: JSONValue]])
    func `an order that is not clear is refused`(_ body: [String: JSONValue]) async throws {
        let token = try await admin()
        try await fixture.run { client in
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            let answer = try await client.post("/v1/admin/revocations", body, token: token)
            #expect(answer.status == .badRequest)
            #expect(answer.code == "invalid_request")
            let path = "/v1/tenants/acme/assets:oauthCredentials?credentialKey="
            #expect(try await client.get(path + key).status == .ok)
        }
    }

    // MARK: tenants' clients

    @Test func `a tenant's own client is used before the shared one, by this tenant alone`() async throws {
        let token = try await admin()
        try await fixture.run { client in
            let path = "/v1/admin/tenants/acme/clients/example"
            #expect(try await client.get(path, token: token).status == .notFound)
            let body: [String: JSONValue] = [
                "clientId": .string("own"), "clientSecret": .string("0wn-secret"), "scopes": .array([.string("mine")]),
            ]
            let first = try await client.put(path, body, token: token)
            #expect(first.status == .created)
            #expect(try await client.put(path, body, token: token).status == .ok)
            let shown = try await client.get(path, token: token)
            #expect(shown.json["clientId"] == .string("own"))
            let address = shown.json["redirectUri"]?.string
            #expect(address?.hasPrefix("https://broker.example.com/oauth/callback/example/") == true)
            #expect(first.json["redirectUri"]?.string == address)
            for answer in [first, shown] { #expect(!answer.text.contains("0wn-secret")) }

            let begun = try await fixture.authorize(client)
            #expect(begun.query["client_id"] == "own")
            #expect(begun.query["redirect_uri"] == address)
            #expect(begun.query["scope"] == "mine")
            _ = try await client.get("\(begun.callback)?code=c&state=\(begun.state)")
            // RFC 6749 § 2.3.1.
            let basic = Data("own:0wn-secret".utf8).base64EncodedString()
            #expect(fixture.provider.requests.last?.headers.contains { $0.value == "Basic \(basic)" } == true)
            #expect(try await fixture.authorize(client, tenant: "other").query["client_id"] == "client id")

            #expect(try await client.delete(path, token: token).status == .noContent)
            #expect(try await client.delete(path, token: token).status == .notFound)
            #expect(try await fixture.authorize(client).query["client_id"] == "client id")
            let events = try await client.get("/v1/admin/auditEvents?type=client.changed", token: token).items
            #expect(events.map { $0["code"] } == [.string("deleted"), .string("set"), .string("set")])
        }
    }

    /// The provider asks for it before it gives a client id.
    @Test func `where a tenant has no client yet, the problem tells which address to register`() async throws {
        let token = try await admin()
        try await fixture.run { client in
            let path = "/v1/admin/tenants/acme/clients/example"
            let missing = try await client.get(path, token: token)
            #expect(missing.status == .notFound)
            #expect(missing.code == "not_found")
            let address = try #require(missing.json["redirectUri"]?.string)
            let set = try await client.put(
                path, ["clientId": .string("own"), "clientSecret": .string("s")], token: token)
            #expect(set.json["redirectUri"] == .string(address))
            let others = try await client.get("/v1/admin/tenants/other/clients/example", token: token)
            #expect(others.json["redirectUri"] != .string(address))
            #expect(try await client.get("/nothing").json["redirectUri"] == nil)
        }
    }

    @Test func `a source type that only a tenant has a client for is configured for it alone`() async throws {
        let token = try await admin()
        try await fixture.run { client in
            _ = try await client.put(
                "/v1/admin/tenants/acme/clients/unconfigured",
                ["clientId": .string("own"), "clientSecret": .string("s")], token: token)
            for (tenant, configured) in [("acme", true), ("other", false)] {
                let own = try await fixture.token(tenant: .string(tenant))
                let list = try await client.get("/v1/tenants/\(tenant)/assets:sourceTypes", token: own)
                let item = list.items.first { $0["type"] == .string("unconfigured") }
                #expect(item?["configured"] == .bool(configured))
            }
            #expect(
                try await fixture.authorize(client, ["sourceType": .string("unconfigured")]).query["client_id"] == "own"
            )
        }
    }

    @Test(arguments: [
        ("acme/clients/nothing", "unknown_source_type"), ("acme/clients/file", "source_type_without_oauth"),
        ("-/clients/example", "invalid_request"),
    ])
    func `a client for what cannot have one is refused`(_ path: String, _ code: String) async throws {
        let token = try await admin()
        try await fixture.run { client in
            let answer = try await client.put(
                "/v1/admin/tenants/\(path)", ["clientId": .string("own"), "clientSecret": .string("s")], token: token)
            #expect(answer.status == .badRequest)
            #expect(answer.code == code)
        }
    }

    @Test(
        arguments: [
            ["clientId": .string(""), "clientSecret": .string("s")], ["clientId": .string("own")],
            ["clientSecret": .string("s")], ["clientId": .string("a\nb"), "clientSecret": .string("s")],
            ["clientId": .string("own"), "clientSecret": .string("s\u{0}")],
            ["clientId": .string("own"), "clientSecret": .string("s"), "scopes": .array([.string("a b")])],
        ] as [[String: JSONValue]])
    func `a malformed client is refused`(_ body: [String: JSONValue]) async throws {
        let token = try await admin()
        try await fixture.run { client in
            let answer = try await client.put("/v1/admin/tenants/acme/clients/example", body, token: token)
            #expect(answer.status == .badRequest)
            #expect(answer.code == "invalid_request")
            #expect(try await fixture.authorize(client).query["client_id"] == "client id")
        }
    }
}

extension TestClientProtocol {
    fileprivate func put(_ uri: String, _ members: [String: JSONValue], token: String) async throws -> TestResponse {
        let body = ByteBuffer(bytes: try JSONValue.object(members).encoded())
        let headers: HTTPFields = [.contentType: "application/json", .authorization: "Bearer \(token)"]
        return try await execute(uri: uri, method: .put, headers: headers, body: body)
    }

    fileprivate func delete(_ uri: String, token: String) async throws -> TestResponse {
        try await execute(uri: uri, method: .delete, headers: [.authorization: "Bearer \(token)"], body: nil)
    }
}

extension TestResponse {
    fileprivate var items: [[String: JSONValue]] {
        guard case .array(let items)? = json["items"] else { return [] }
        return items.map { if case .object(let members) = $0 { members } else { [:] } }
    }
}
