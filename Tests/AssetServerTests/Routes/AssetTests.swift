import Assets
import Formats
import Foundation
import HTTPTypes
import HummingbirdTesting
import Secrets
import Testing
import Transport

@testable import AssetServer

@Suite(.timeLimit(.minutes(5))) struct AssetTests {
    // MARK: rights

    private static let reads = [
        ":sourceTypes", "/supportedTypes", ":supportedTypes", "/embeddingModels", ":embeddingModels", "",
        "/\(id)", "/\(id)/operations", "/\(id)/operations/\(id)", "/\(id)/documents", "/\(id)/documents/\(id)",
        "/\(id)/documents/\(id)/chunks",
    ]
    private static let writes: [(HTTPRequest.Method, String)] = [
        (.post, ""), (.post, ":file"), (.patch, "/\(id)"), (.delete, "/\(id)"), (.post, "/\(id):refresh"),
        (.post, "/\(id)/operations/\(id):cancel"), (.delete, "/\(id)/documents/\(id)"),
    ]
    private static let id = "0b8f6a52-6b0e-4d6c-9d5f-3a1f6f1f2c11"

    @Test func `either scope reads, and only one writes`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            var caller = caller
            for scope in ["assets:read", "assets:write"] {
                caller.scope = scope
                for rest in Self.reads {
                    let status = try await caller.get(rest).status
                    #expect(status == .ok || status == .notFound, "\(scope) \(rest)")
                }
            }
            caller.scope = "assets:read"
            for (method, rest) in Self.writes {
                let answer = try await caller.call(method, rest)
                #expect(answer.status == .forbidden, "\(method) \(rest)")
                #expect(answer.json["error"] == .string("insufficient_scope"))
                #expect(answer.json["required"] == .string("assets:write"))
                #expect(answer.json["granted"] == .array([.string("assets:read")]))
            }
            caller.scope = "other"
            #expect(try await caller.get().json["required"] == .string("assets:read"))
        }
    }

    @Test func `without a token nothing is told`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            for (method, rest) in Self.writes + Self.reads.map({ (.get, $0) }) {
                let answer = try await caller.call(method, rest, [.authorization: "Bearer x"])
                #expect(answer.status == .unauthorized, "\(method) \(rest)")
                #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
            }
        }
    }

    // MARK: ids

    @Test func `no id, an unknown one and another tenant's get one answer`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            var stranger = caller
            stranger.tenant = "other"
            var answers: Set<String> = []
            for (caller, id) in [
                (caller, Self.id), (caller, "1"), (caller, made.asset.uppercased()), (caller, made.asset + ":x"),
                (stranger, made.asset),
            ] {
                for rest in ["", "/operations", "/documents", "/operations/\(made.operation)", "/documents/\(Self.id)"]
                {
                    let answer = try await caller.get("/\(id)\(rest)")
                    #expect(answer.status == .notFound)
                    var members = answer.json
                    (members["instance"], members["requestId"]) = (nil, nil)
                    answers.insert(String(decoding: try JSONValue.object(members).encoded(), as: UTF8.self))
                }
                #expect(try await caller.send(.patch, "/\(id)", "{}").status == .notFound)
                #expect(try await caller.call(.post, "/\(id):refresh").status == .notFound)
                #expect(try await caller.call(.post, "/\(id)/operations/\(made.operation):cancel").status == .notFound)
                #expect(try await caller.call(.delete, "/\(id)").status == .notFound)
            }
            #expect(answers.count == 1)
        }
    }

    // MARK: what there is

    @Test func `source types are told as the broker has them, with their properties`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let items = try #require(try await caller.get(":sourceTypes").json["items"]?.items)
            #expect(items.map { $0["type"]?.string } == ["drive", "file", "git", "site"])
            #expect(items[0]["displayName"] == .string("The broker's drive"))
            #expect(items[0]["configured"] == .bool(true))
            #expect(items[0]["oauth"] == .object(["scopes": .array([.string("read")]), "parameters": .array([])]))
            #expect(items[1]["configured"] == .bool(true))
            #expect(items[2]["configured"] == .bool(false))
            #expect(
                items[3]["properties"]?.items.first
                    == .object([
                        "name": .string("url"), "type": .string("string"), "required": .bool(true), "default": .null,
                        "description": .string("The address"),
                    ]))
            _ = try await caller.get(":sourceTypes")
        }
        #expect(fixture.broker.requests.count == 1)
    }

    @Test func `without the broker's word nothing can be connected, and the rest can be read`() async throws {
        let fixture = try await Fixture(broker: ScriptedBroker { _ throws(TransportError) in throw .timedOut })
        try await fixture.run { caller async throws in
            let items = try #require(try await caller.get(":sourceTypes").json["items"]?.items)
            #expect(items.map { $0["configured"] } == [.bool(false), .bool(true), .bool(false), .bool(true)])
        }
    }

    @Test func `types and models are found under both spellings`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            for separator in ["/", ":", "%3A"] {
                #expect(
                    try await caller.get("\(separator)supportedTypes").json["items"]?.items.first
                        == .object([
                            "contentType": .string("text/markdown"), "extensions": .array([.string(".md")]),
                            "description": .string("Markdown"),
                        ]))
                #expect(
                    try await caller.get("\(separator)embeddingModels").json["items"]?.items
                        == [
                            .object([
                                "provider": .string("openai"), "model": .string("small"), "dimensions": .number(3),
                                "description": .string("Small"), "pricePerMillionTokens": .number(2),
                            ])
                        ])
            }
        }
    }

    // MARK: changing

    @Test func `an asset is renamed`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            fixture.clock.advance(seconds: 5)
            let answer = try await caller.send(.patch, "/\(made.asset)", #"{"displayName":"New"}"#)
            #expect(answer.status == .ok)
            #expect(answer.json["asset"]?["displayName"] == .string("New"))
            #expect(answer.json["asset"]?["modifiedAt"] == .number(1_790_000_005_000))
            #expect(try await caller.get("/\(made.asset)").json["displayName"] == .string("New"))
        }
    }

    @Test func `an asset is connected again`() async throws {
        let fixture = try await Fixture()
        let id = try await fixture.run { caller async throws in
            let made = try Caller.Made(
                try await caller.send(.post, "", #"{"config":{"sourceType":"drive"},"auth":{"accessToken":"old"}}"#))
            let answer = try await caller.send(.patch, "/\(made.asset)", #"{"auth":{"credentialKey":"ckr_1"}}"#)
            #expect(answer.status == .ok)
            return try #require(AssetID(made.asset))
        }
        let sealed = try #require(try await fixture.store.credentials(of: id))
        let opened = try AssetCredentials(sealed, by: fixture.keyRing, of: id, try #require(TenantID("acme")))
        #expect(opened.accessToken.matches(AccessToken("access-1")))
    }

    @Test func `a source that takes no credentials gets none`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            let answer = try await caller.send(.patch, "/\(made.asset)", #"{"auth":{"credentialKey":"ckr_1"}}"#)
            #expect(answer.code == "invalid_request")
        }
        #expect(fixture.broker.redemptions.isEmpty)
    }

    @Test func `a deleted asset is gone, and its operation is ended`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            let answer = try await caller.call(.delete, "/\(made.asset)")
            #expect(answer.status == .noContent)
            #expect(answer.body.readableBytes == 0)
            #expect(try await caller.get("/\(made.asset)").status == .notFound)
            #expect(try await caller.call(.delete, "/\(made.asset)").status == .notFound)
            #expect(fixture.signals.cancelled == [made.operation])
        }
    }

    // MARK: money

    @Test func `the price of now is the price of all operations`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try Caller.Made(
                try await caller.send(
                    .post, "",
                    #"{"config":{"sourceType":"site","parameters":{"url":"https://x.example/"}},"#
                        + #""embedding":{"provider":"openai","model":"small"}}"#))
            try await Ingested(fixture).run([("a.md", String(repeating: "a", count: 400))])
            let operation = try await caller.get("/\(made.asset)/operations/\(made.operation)").json
            #expect(operation["tokenCount"] == .number(100))
            #expect(operation["cost"] == .number(0.0002))
            #expect(operation["status"] == .string("COMPLETED"))
            let asset = try await caller.get("/\(made.asset)").json
            #expect(
                asset["budget"]
                    == .object([
                        "totalTokenCount": .number(100), "totalCost": .number(0.0002),
                        "pricePerMillionTokens": .number(2),
                    ]))
        }
    }

    // MARK: browsers

    @Test func `pages of frontends may call with all methods`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            for rest in ["", ":file", "/\(Self.id)", "/\(Self.id):refresh", "/\(Self.id)/documents/\(Self.id)"] {
                let answer = try await caller.call(.options, rest, [.origin: Fixture.origin])
                #expect(answer.status == .noContent)
                #expect(answer.headers[.accessControlAllowOrigin] == Fixture.origin)
                #expect(answer.headers[.accessControlAllowMethods] == "GET, POST, PATCH, DELETE")
                #expect(answer.headers[.accessControlAllowHeaders] == "Authorization, Content-Type, Idempotency-Key")
            }
            let foreign = try await caller.call(.get, "", [.origin: "https://evil.example"])
            #expect(foreign.headers[.accessControlAllowOrigin] == nil)
            let own = try await caller.call(.get, "", [.origin: Fixture.origin])
            #expect(own.headers[.accessControlExposeHeaders]?.contains("Location") == true)
        }
    }

    // MARK: monitoring

    @Test func `the service says that it works`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
                let answer = try await caller.client.execute(uri: path, method: .get)
                #expect(answer.status == .ok, "\(path)")
            }
        }
        await fixture.store.close()
        try await fixture.run { caller async throws in
            let answer = try await caller.client.execute(uri: "/readyz", method: .get)
            #expect(answer.status == .serviceUnavailable)
            #expect(try await caller.get().code == "unavailable")
        }
    }
}
