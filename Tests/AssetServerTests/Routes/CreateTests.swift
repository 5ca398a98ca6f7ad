import AssetStore
import Assets
import Formats
import Foundation
import HTTPTypes
import HummingbirdTesting
import Secrets
import Testing
import Transport

@testable import AssetServer

@Suite(.timeLimit(.minutes(5))) struct CreateTests {
    private static func body(
        _ sourceType: String = "drive", _ parameters: String = "{}", _ more: String = ""
    ) -> String {
        "{\"config\":{\"sourceType\":\"\(sourceType)\",\"parameters\":\(parameters)}\(more.isEmpty ? "" : ",")\(more)}"
    }

    private static let key = #""auth":{"credentialKey":"ckr_1","exchangeVerifier":"v1"}"#

    @Test func `an asset and its operation are told, and begun`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let answer = try await caller.send(
                .post, "", Self.body("site", #"{"url":"https://x.example/a/"}"#, #""embeddingLlmConfigId":"l1""#))
            #expect(answer.status == .created)
            #expect(answer.headers[.cacheControl] == "no-store")
            let made = try Caller.Made(answer)
            #expect(answer.headers[.location] == "/v1/tenants/acme/assets/\(made.asset)")
            let time = JSONValue.number(1_790_000_000_000)
            #expect(
                answer.json["asset"]
                    == .object([
                        "id": .string(made.asset), "displayName": .string("x.example/a"), "type": .string("site"),
                        "vectorized": .bool(false), "embeddingStatus": .string("PENDING"), "integrationId": .null,
                        "config": .object([
                            "sourceType": .string("site"),
                            "parameters": .object(["url": .string("https://x.example/a/")]),
                        ]),
                        "embedding": .object([
                            "provider": .null, "model": .null, "chunkSize": .number(512), "chunkOverlap": .number(64),
                        ]),
                        "budget": .object([
                            "totalTokenCount": .number(0), "totalCost": .number(0), "pricePerMillionTokens": .null,
                        ]),
                        "embeddingLlmConfigId": .string("l1"), "documentCount": .number(0), "chunkCount": .number(0),
                        "autoUpdate": .bool(false), "supportsAutoUpdate": .bool(false),
                        "supportsWebhookRegistration": .bool(false), "supportsPollSchedule": .bool(false),
                        "createdAt": time, "modifiedAt": time, "createdBy": .string("user-7"),
                    ]))
            #expect(
                answer.json["operation"]
                    == .object([
                        "id": .string(made.operation), "assetId": .string(made.asset), "tenantId": .string("acme"),
                        "type": .string("CREATE"), "status": .string("PENDING"), "done": .bool(false),
                        "createdAt": time, "updatedAt": time, "startedAt": .null, "completedAt": .null,
                        "itemsProcessed": .number(0), "itemsTotal": .number(0), "itemsFailed": .number(0),
                        "itemsSkipped": .number(0), "itemsRemoved": .number(0), "tokenCount": .number(0),
                        "chunkCount": .number(0), "cost": .number(0), "errorMessage": .null, "errorCode": .null,
                        "createdBy": .string("user-7"),
                    ]))
        }
        #expect(fixture.signals.wakeCount == 1)
        #expect(fixture.broker.requests.isEmpty)
    }

    @Test func `a key is redeemed, and its tokens are kept sealed`() async throws {
        let fixture = try await Fixture()
        let made = try await fixture.run { caller async throws in
            let answer = try await caller.send(.post, "", Self.body("drive", #"{"folderId":"f"}"#, Self.key))
            #expect(answer.status == .created)
            #expect(answer.json["asset"]?["integrationId"] == .string("drive"))
            #expect(answer.json["asset"]?["displayName"] == .string("Drive"))
            #expect(!answer.text.contains("access-1") && !answer.text.contains("ckr_"))
            return try Caller.Made(answer)
        }
        let request = try #require(fixture.broker.redemptions.first)
        #expect(fixture.broker.redemptions.count == 1)
        #expect(request.url == "https://broker.example.com/v1/tenants/acme/assets:oauthCredentials")
        #expect(!request.headers.contains { $0.name.lowercased() == "authorization" })
        #expect(String(decoding: request.body ?? [], as: UTF8.self).contains("ckr_1"))
        let id = try #require(AssetID(made.asset))
        let sealed = try #require(try await fixture.store.credentials(of: id))
        let tenant = try #require(TenantID("acme"))
        let opened = try AssetCredentials(sealed, by: fixture.keyRing, of: id, tenant)
        #expect(opened.accessToken.matches(AccessToken("access-1")))
        #expect(opened.refreshToken?.matches(RefreshToken("refresh-1")) == true)
        #expect(throws: OpenError.notAuthentic) {
            try AssetCredentials(sealed, by: fixture.keyRing, of: AssetID(UUID()), tenant)
        }
        #expect(!fixture.lines.all.contains("ckr_") && !fixture.lines.all.contains("access-1"))
    }

    @Test func `tokens of the caller's own are kept without the broker`() async throws {
        let fixture = try await Fixture()
        let made = try await fixture.run { caller async throws in
            try Caller.Made(try await caller.send(.post, "", Self.body("git", "{}", #""auth":{"accessToken":"own"}"#)))
        }
        #expect(fixture.broker.requests.isEmpty)
        let id = try #require(AssetID(made.asset))
        let sealed = try #require(try await fixture.store.credentials(of: id))
        let opened = try AssetCredentials(sealed, by: fixture.keyRing, of: id, try #require(TenantID("acme")))
        #expect(opened.accessToken.matches(AccessToken("own")) && opened.refreshToken == nil)
    }

    @Test(arguments: [
        (body("nonsense"), "unknown_source_type"), (body("Site"), "unknown_source_type"),
        (body("wiki"), "source_type_without_reader"), (body("file"), "invalid_request"),
        (body("site"), "invalid_parameter"), (body("site", #"{"url":"no address"}"#), "invalid_parameter"),
        (body("site", #"{"url":"https://x.example/","colour":"blue"}"#), "invalid_parameter"),
        (body("site", #"{"url":"https://x.example/","maxPages":"many"}"#), "invalid_parameter"),
        (body("drive"), "auth_required"), (body("drive", "{}", #""auth":null"#), "auth_required"),
        (body("site", #"{"url":"https://x.example/"}"#, key), "invalid_request"),
        (body("drive", "{}", key + #","name":"""#), "invalid_request"),
        (body("drive", #"{"colour":"blue"}"#, key), "invalid_parameter"),
        (body("drive", "{}", key + #","embedding":{"provider":"openai","model":"x"}"#), "unknown_embedding_model"),
        (body("drive", "{}", key + #","embedding":{"chunkSize":1}"#), "invalid_request"),
        (body("drive", "{}", key + #","budget":1"#), "unsupported_setting"),
        (#"{"config":{"sourceType":"a"},"config":{"sourceType":"b"}}"#, "invalid_request"), ("[]", "invalid_request"),
        ("", "invalid_request"),
    ])
    func `a bad body makes nothing and spends no key`(_ body: String, _ code: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let answer = try await caller.send(.post, "", body, [.idempotencyKey: "k"])
            #expect(answer.status == .badRequest)
            #expect(answer.code == code)
            #expect(try await caller.get().json["totalCount"] == .number(0))
        }
        #expect(fixture.broker.redemptions.isEmpty)
        #expect(fixture.signals.wakeCount == 0)
    }

    @Test func `a type that only the broker could know is unknown where the broker does not answer`() async throws {
        let fixture = try await Fixture(broker: ScriptedBroker { _ throws(TransportError) in throw .timedOut })
        try await fixture.run { caller async throws in
            #expect(try await caller.send(.post, "", Self.body("wiki")).code == "unknown_source_type")
        }
    }

    @Test(arguments: [
        (400, #"{"code":"invalid_credential_key"}"#, HTTPResponse.Status.badRequest, "invalid_credential_key"),
        (500, "", .badGateway, "broker_unreachable"), (200, "{}", .badGateway, "broker_unreachable"),
        (429, #"{"code":"rate_limited"}"#, .tooManyRequests, "rate_limited"),
    ])
    func `a key that is not redeemed makes nothing`(
        _ status: Int, _ body: String, _ expected: HTTPResponse.Status, _ code: String
    ) async throws {
        let fixture = try await Fixture(broker: ScriptedBroker(status: status, body))
        try await fixture.run { caller async throws in
            let answer = try await caller.send(.post, "", Self.body("drive", "{}", Self.key))
            #expect(answer.status == expected)
            #expect(answer.code == code)
            #expect(try await caller.get().json["totalCount"] == .number(0))
        }
    }

    @Test(arguments: [
        (TransportError.timedOut, HTTPResponse.Status.gatewayTimeout, "broker_timeout"),
        (.connectionRefused, .badGateway, "broker_unreachable"),
    ])
    func `a broker that does not answer is said to be`(
        _ error: TransportError, _ status: HTTPResponse.Status, _ code: String
    ) async throws {
        let fixture = try await Fixture(broker: ScriptedBroker { _ throws(TransportError) in throw error })
        try await fixture.run { caller async throws in
            let answer = try await caller.send(.post, "", Self.body("drive", "{}", Self.key))
            #expect(answer.status == status)
            #expect(answer.code == code)
        }
    }

    @Test func `credentials for another source type make nothing`() async throws {
        let fixture = try await Fixture(broker: ScriptedBroker(grants: "git"))
        try await fixture.run { caller async throws in
            let byKey = try await caller.send(.post, "", Self.body("drive", "{}", Self.key))
            #expect(byKey.code == "credential_mismatch")
            let byTokens = try await caller.send(
                .post, "", Self.body("drive", "{}", #""auth":{"accessToken":"a","sourceType":"git"}"#))
            #expect(byTokens.code == "credential_mismatch")
            #expect(try await caller.get().json["totalCount"] == .number(0))
        }
    }

    // MARK: sent again

    @Test func `the same request with the same key makes one asset`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let body = Self.body("drive", "{}", Self.key)
            let first = try await caller.send(.post, "", body, [.idempotencyKey: "k 1"])
            let again = try await caller.send(.post, "", body, [.idempotencyKey: "k 1"])
            #expect(again.status == .created)
            #expect(again.json == first.json)
            #expect(again.headers[.location] == first.headers[.location])
            #expect(try await caller.get().json["totalCount"] == .number(1))
        }
        #expect(fixture.broker.redemptions.count == 1)
        #expect(fixture.signals.wakeCount == 1)
    }

    @Test func `a key that came with another body is refused, of another tenant it is another`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let site = { (name: String) in Self.body("site", #"{"url":"https://\#(name).example/"}"#) }
            _ = try await caller.send(.post, "", site("x"), [.idempotencyKey: "k"])
            let other = try await caller.send(.post, "", site("y"), [.idempotencyKey: "k"])
            #expect(other.status == .unprocessableContent)
            #expect(other.code == "idempotency_key_reused")
            var stranger = caller
            stranger.tenant = "other"
            #expect(try await stranger.send(.post, "", site("y"), [.idempotencyKey: "k"]).status == .created)
        }
    }

    @Test func `a request that came to nothing gives its key back`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            #expect(try await caller.send(.post, "", Self.body("site"), [.idempotencyKey: "k"]).status == .badRequest)
            let body = Self.body("site", #"{"url":"https://x.example/"}"#)
            #expect(try await caller.send(.post, "", body, [.idempotencyKey: "k"]).status == .created)
        }
    }

    @Test func `while the first request is under way its key is in use`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let body = Self.body("site", #"{"url":"https://x.example/"}"#)
            let key = IdempotencyKey(tenant: try #require(TenantID("acme")), text: "k")
            let digest = RequestDigest.of(.post, "/v1/tenants/acme/assets", [Array(body.utf8)])
            #expect(try await fixture.store.claim(key, requestDigest: digest, at: fixture.clock.now) == .claimed)
            let answer = try await caller.send(.post, "", body, [.idempotencyKey: "k"])
            #expect(answer.status == .conflict)
            #expect(answer.code == "idempotency_key_in_use")
        }
    }

    @Test(arguments: ["", String(repeating: "k", count: 256), "tab\there"])
    func `a key is 1 to 255 printable characters`(_ key: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let answer = try await caller.send(
                .post, "", Self.body("site", #"{"url":"https://x.example/"}"#), [.idempotencyKey: key])
            #expect(answer.code == "invalid_request")
        }
    }
}
