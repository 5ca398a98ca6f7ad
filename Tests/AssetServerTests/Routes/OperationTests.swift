import Assets
import Formats
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import AssetServer

@Suite(.timeLimit(.minutes(5))) struct OperationTests {
    @Test func `a refresh begins another operation`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            try await Ingested(fixture).run([])
            let answer = try await caller.call(.post, "/\(made.asset):refresh")
            #expect(answer.status == .accepted)
            let begun = try Caller.Made(answer)
            #expect(
                answer.headers[.location] == "/v1/tenants/acme/assets/\(made.asset)/operations/\(begun.operation)")
            #expect(answer.json["operation"]?["type"] == .string("REFRESH"))
            #expect(answer.json["asset"]?["embeddingStatus"] == .string("PENDING"))
            let list = try await caller.get("/\(made.asset)/operations").json
            #expect(list["items"]?.items.map { $0["id"]?.string } == [begun.operation, made.operation])
            #expect(list["totalCount"] == .number(2))
        }
        #expect(fixture.signals.wakeCount == 2)
    }

    @Test func `one operation of an asset is enough at a time`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            let answer = try await caller.send(.post, "/\(made.asset):refresh", "{}", [.idempotencyKey: "k"])
            #expect(answer.status == .conflict)
            #expect(answer.code == "operation_in_progress")
            #expect(answer.json["operation"] == .string(made.operation))
            try await Ingested(fixture).run([])
            #expect(
                try await caller.send(.post, "/\(made.asset):refresh", "{}", [.idempotencyKey: "k"]).status == .accepted
            )
        }
    }

    @Test func `the same refresh with the same key is one`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            try await Ingested(fixture).run([])
            let rest = "/\(made.asset):refresh"
            let first = try await caller.send(.post, rest, #"{"force":true}"#, [.idempotencyKey: "k"])
            let again = try await caller.send(.post, rest, #"{"force":true}"#, [.idempotencyKey: "k"])
            #expect(again.status == .accepted)
            #expect(again.json == first.json)
            #expect(again.headers[.location] == first.headers[.location])
            #expect(
                try await caller.call(.post, rest, [.idempotencyKey: "k"]).code == "idempotency_key_reused")
        }
    }

    @Test func `documents of other assets cannot be refreshed`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let first = try await caller.make()
            try await Ingested(fixture).run([("a.md", "a")])
            let second = try await caller.make()
            try await Ingested(fixture).run([("b.md", "b")])
            let document = try #require(
                try await caller.get("/\(first.asset)/documents").json["items"]?.items.first?["id"]?.string)
            let body = #"{"documentIds":["\#(document)"]}"#
            #expect(try await caller.send(.post, "/\(second.asset):refresh", body).code == "unknown_document")
            #expect(try await caller.send(.post, "/\(first.asset):refresh", body).status == .accepted)
        }
    }

    @Test func `a body of another type is refused, an empty one is none`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            try await Ingested(fixture).run([])
            let rest = "/\(made.asset):refresh"
            let text = try await caller.call(.post, rest, [.contentType: "text/plain"], body: .init(string: "{}"))
            #expect(text.status == .unsupportedMediaType)
            #expect(try await caller.send(.post, rest, "[]").code == "invalid_request")
            #expect(try await caller.call(.post, rest, [.contentType: "text/plain"]).status == .accepted)
        }
    }

    @Test func `an operation that waits is cancelled at once, and one that is done stays`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            let rest = "/\(made.asset)/operations/\(made.operation):cancel"
            let answer = try await caller.call(.post, rest)
            #expect(answer.status == .ok)
            #expect(answer.json["status"] == .string("CANCELLED"))
            #expect(answer.json["done"] == .bool(true))
            #expect(answer.json["startedAt"] == .null)
            #expect(try await caller.call(.post, rest).json == answer.json)
            #expect(try await caller.get("/\(made.asset)").json["embeddingStatus"] == .string("CANCELLED"))
        }
        #expect(fixture.signals.cancelled.isEmpty)
    }

    @Test func `an operation that runs is told to end`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            _ = try await Ingested(fixture).begin()
            let answer = try await caller.call(.post, "/\(made.asset)/operations/\(made.operation):cancel")
            #expect(answer.json["status"] == .string("RUNNING"))
            #expect(fixture.signals.cancelled == [made.operation])
        }
    }
}
