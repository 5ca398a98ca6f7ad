import Assets
import Formats
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import AssetServer

@Suite(.timeLimit(.minutes(5))) struct ListTests {
    /// An asset of seven documents, the first of seven chunks.
    private static func fill(_ caller: Caller) async throws -> Caller.Made {
        let made = try await caller.make(name: "The Site")
        let long = (0..<7).map { "paragraph \($0)" }.joined(separator: "\n\n")
        try await Ingested(caller.fixture).run((0..<7).map { ("Report \($0).md", $0 == 0 ? long : "text \($0)") })
        return made
    }

    private static func names(_ answer: TestResponse) -> [String] {
        (answer.json["items"]?.items ?? []).compactMap { ($0["fileName"] ?? $0["displayName"])?.string }
    }

    @Test func `pages hold each item once`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await Self.fill(caller)
            let rest = "/\(made.asset)/documents"
            let whole = Self.names(try await caller.get(rest))
            #expect(whole == (0..<7).map { "Report \($0).md" })
            var (found, query): ([String], String?) = ([], "?pageSize=3")
            while let asked = query {
                let page = try await caller.get(rest + asked)
                #expect(page.json["totalCount"] == .number(7))
                found += Self.names(page)
                query = page.json["nextPageToken"]?.string.map { "?pageSize=3&pageToken=\($0)" }
            }
            #expect(found == whole)
        }
    }

    /// The platform's pages and its client spell them differently.
    @Test func `names are read in any case and either spelling`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await Self.fill(caller)
            let rest = "/\(made.asset)/documents"
            let token = try #require(try await caller.get(rest + "?PAGESIZE=2").json["nextPageToken"]?.string)
            for name in ["pageToken", "PageToken", "PageToken.Cursor", "pagetoken.cursor"] {
                #expect(Self.names(try await caller.get(rest + "?pageSize=1&\(name)=\(token)")) == ["Report 2.md"])
            }
            for name in ["PageToken.Skip", "pageToken.skip"] {
                #expect(Self.names(try await caller.get(rest + "?pagesize=1&\(name)=5")) == ["Report 5.md"])
            }
            for name in ["search", "query", "Search", "QUERY"] {
                #expect(Self.names(try await caller.get(rest + "?\(name)=REPORT%203")) == ["Report 3.md"])
                #expect(Self.names(try await caller.get("?\(name)=the%20s")) == ["The Site"])
                #expect(Self.names(try await caller.get("?\(name)=%25")) == [])
            }
        }
    }

    @Test(arguments: [
        "pageSize=0", "pageSize=1001", "pageSize=ten", "pageSize=", "pageSize=-1", "pageToken=x", "pageToken=",
        "pageToken=a1", "PageToken.Skip=-1", "PageToken.Skip=", "PageToken.Skip=99999999999999999999", "pageToken=d",
        "pageSize=1&PageSize=1", "pageToken=d1&PageToken.Cursor=d1", "search=a&query=a", "pageSize=%zz", "search=%ff",
    ])
    func `a bad size, token or skip is refused`(_ query: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            let answer = try await caller.get("/\(made.asset)/documents?\(query)")
            #expect(answer.status == .badRequest)
            #expect(answer.code == "invalid_request")
        }
    }

    @Test func `a document is told without its text, and its chunks in order`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await Self.fill(caller)
            let id = try #require(
                try await caller.get("/\(made.asset)/documents").json["items"]?.items.first?["id"]?.string)
            let time = JSONValue.number(1_790_000_000_000)
            let document = try await caller.get("/\(made.asset)/documents/\(id)").json
            let expected: [String: JSONValue] = [
                "id": .string(id), "assetId": .string(made.asset), "fileName": .string("Report 0.md"),
                "contentType": .string("text/markdown"), "sourceUrl": .string("https://x.example/Report 0.md"),
                "fileSize": .number(89), "chunkCount": .number(7), "tokenCount": .number(21),
                "status": .string("COMPLETED"), "errorMessage": .null, "errorCode": .null, "createdAt": time,
                "modifiedAt": document["modifiedAt"] ?? .null, "processedAt": document["processedAt"] ?? .null,
            ]
            #expect(document == expected)
            let rest = "/\(made.asset)/documents/\(id)/chunks"
            let page = try await caller.get(rest + "?pageSize=2").json
            #expect(page["documentId"] == .string(id))
            #expect(page["totalChunks"] == .number(7))
            let chunks = try #require(page["chunks"]?.items)
            #expect(
                chunks[1]
                    == .object([
                        "chunkId": chunks[1]["chunkId"] ?? .null, "chunkIndex": .number(1),
                        "content": .string("paragraph 1"), "contextText": .null, "headingPath": .string("A > B"),
                        "pageNumber": .string("2"), "startCharIdx": .number(0), "endCharIdx": .number(11),
                        "startLine": .number(1), "endLine": .number(1), "tokenCount": .number(3),
                    ]))
            let token = try #require(page["nextPageToken"]?.string)
            let rest2 = try await caller.get(rest + "?pageSize=1000&pageToken=\(token)").json
            #expect(rest2["chunks"]?.items.map { $0["chunkIndex"] } == (2..<7).map { .number(Double($0)) })
            #expect(rest2["nextPageToken"] == .null)
            let ids = Set((chunks + (rest2["chunks"]?.items ?? [])).compactMap { $0["chunkId"]?.string })
            #expect(ids.count == 7)
            #expect(ids.allSatisfy { DocumentID($0) != nil })
        }
    }

    /// A thousand of the longest chunks are 32 MB, which a slow client could not take in time.
    @Test func `a page of long chunks ends early, and the next one goes on`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            let paragraph = String(repeating: "x", count: 32_000)
            try await Ingested(fixture).run([("a.md", Array(repeating: paragraph, count: 70).joined(separator: "\n\n"))]
            )
            let id = try #require(
                try await caller.get("/\(made.asset)/documents").json["items"]?.items.first?["id"]?.string)
            let rest = "/\(made.asset)/documents/\(id)/chunks?pageSize=1000"
            let first = try await caller.get(rest)
            #expect(first.body.readableBytes < 2 << 20)
            #expect(first.json["totalChunks"] == .number(70))
            let token = try #require(first.json["nextPageToken"]?.string)
            let second = try await caller.get(rest + "&pageToken=\(token)").json
            #expect(second["nextPageToken"] == .null)
            let indices = ((first.json["chunks"]?.items ?? []) + (second["chunks"]?.items ?? []))
                .map { $0["chunkIndex"] }
            #expect(indices == (0..<70).map { .number(Double($0)) })
        }
    }

    @Test func `a failed document says why`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            try await Ingested(fixture).run([("a.md", "a"), ("b.md", "b")], failing: ["b.md"])
            let documents = try #require(try await caller.get("/\(made.asset)/documents").json["items"]?.items)
            #expect(documents[1]["status"] == .string("FAILED"))
            #expect(documents[1]["errorCode"] == .string("unreadable"))
            #expect(documents[1]["errorMessage"] == .string("the file is broken"))
            let operation = try await caller.get("/\(made.asset)/operations/\(made.operation)").json
            #expect(operation["errorCode"] == .string("documents_failed"))
            #expect(try await caller.get("/\(made.asset)").json["embeddingStatus"] == .string("PARTIAL"))
        }
    }

    @Test func `a deleted document is gone`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await Self.fill(caller)
            let id = try #require(
                try await caller.get("/\(made.asset)/documents").json["items"]?.items.first?["id"]?.string)
            let rest = "/\(made.asset)/documents/\(id)"
            #expect(try await caller.call(.delete, rest).status == .noContent)
            #expect(try await caller.call(.delete, rest).status == .notFound)
            #expect(try await caller.get(rest).status == .notFound)
            #expect(try await caller.get(rest + "/chunks").status == .notFound)
            #expect(try await caller.get("/\(made.asset)").json["documentCount"] == .number(6))
        }
    }

    @Test func `documents are an empty list before anything was read`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make()
            let answer = try await caller.get("/\(made.asset)/documents")
            #expect(answer.json == ["items": .array([]), "nextPageToken": .null, "totalCount": .number(0)])
            #expect(answer.headers[.cacheControl] == "no-store")
        }
    }
}
