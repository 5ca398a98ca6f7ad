import AssetStore
import Assets
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import AssetServer

@Suite(.timeLimit(.minutes(5))) struct UploadTests {
    private static let file = Form.Part("File", fileName: "note.md", "# Note")

    private static func upload(
        _ caller: Caller, _ parts: [Form.Part], boundary: String = "fruxon-0123", _ headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        let form = Form(parts, boundary: boundary)
        var headers = headers
        headers[.contentType] = form.contentType
        return try await caller.call(.post, ":file", headers, body: form.body)
    }

    /// The files that are in the uploads' folder.
    private static func kept(_ fixture: Fixture) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: fixture.uploads.path)
    }

    @Test func `a file becomes an asset, and is kept`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let answer = try await Self.upload(caller, [Self.file])
            #expect(answer.status == .created)
            let made = try Caller.Made(answer)
            #expect(answer.headers[.location] == "/v1/tenants/acme/assets/\(made.asset)")
            #expect(answer.json["asset"]?["displayName"] == .string("note.md"))
            #expect(answer.json["asset"]?["type"] == .string("file"))
            #expect(answer.json["asset"]?["config"]?["parameters"] == .object([:]))
            let ingestion = try #require(try await fixture.store.next(excluding: [], at: fixture.clock.now))
            let upload = try #require(ingestion.upload)
            #expect(upload.fileName == "note.md" && upload.contentType == "text/markdown" && upload.size == 6)
            #expect(try await fixture.store.uploads.contents(of: upload.storedName) == Array("# Note".utf8))
        }
        #expect(fixture.signals.wakeCount == 1)
    }

    /// As the platform's client sends it.
    @Test func `parts come in any order, their names in any case`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let payload =
                #"{"Vectorize":true,"EmbeddingConfig":{"Provider":"openai","Model":"small"},"EmbeddingLlmConfigId":"x"}"#
            let answer = try await Self.upload(
                caller,
                [
                    Form.Part("payload", type: "application/json; charset=utf-8", payload), Form.Part("other", "x"),
                    Form.Part("file", fileName: #"a \"b\" ü.md"#, type: "application/octet-stream", "text"),
                ])
            #expect(answer.status == .created)
            #expect(answer.json["asset"]?["displayName"] == .string(#"a "b" ü.md"#))
            #expect(answer.json["asset"]?["embedding"]?["model"] == .string("small"))
            #expect(answer.json["asset"]?["embeddingLlmConfigId"] == .string("x"))
        }
    }

    @Test func `a type is told by the name, else by the part`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            for (name, type, status) in [
                ("a.MD", nil, HTTPResponse.Status.created), ("a", "text/plain; charset=utf-8", .created),
                ("a.bin", "text/markdown", .created), ("a.bin", nil, .unsupportedMediaType),
                ("a", "application/x-tar", .unsupportedMediaType), (".md", nil, .created),
            ] as [(String, String?, HTTPResponse.Status)] {
                let answer = try await Self.upload(caller, [Form.Part("File", fileName: name, type: type, "x")])
                #expect(answer.status == status, "\(name) \(type ?? "")")
            }
        }
        #expect(try Self.kept(fixture).count == 4)
    }

    @Test func `a bad form makes nothing and leaves nothing`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let payload = { Form.Part("Payload", $0) }
            for parts in [
                [], [payload("{}")], [Self.file, Self.file], [Form.Part("File", "no name")],
                [Form.Part("File", fileName: "", "x")], [Form.Part("File", fileName: "a.md", "")],
                [Self.file, payload("[]")], [payload(""), Self.file], [Self.file, payload("{}"), payload("{}")],
                [Self.file, payload(#"{"Vectorize":true}"#)],
            ] {
                let answer = try await Self.upload(caller, parts)
                #expect(answer.status == .badRequest)
                #expect(answer.code == "invalid_request")
            }
            let unknown = payload(#"{"Vectorize":true,"EmbeddingConfig":{"Provider":"a","Model":"b"}}"#)
            #expect(try await Self.upload(caller, [unknown, Self.file]).code == "unknown_embedding_model")
            #expect(
                try await Self.upload(caller, [Self.file, payload(#"{"Budget":1}"#)]).code == "unsupported_setting")
            #expect(try await caller.get().json["totalCount"] == .number(0))
        }
        #expect(try Self.kept(fixture) == [])
        #expect(fixture.signals.wakeCount == 0)
    }

    @Test func `a body that is no form is refused`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let json = try await caller.send(.post, ":file", "{}")
            #expect(json.status == .unsupportedMediaType)
            for (type, body) in [
                ("multipart/form-data", "x"), ("multipart/form-data; boundary=b", "no form"),
                ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=File"),
            ] {
                let answer = try await caller.call(
                    .post, ":file", [.contentType: type], body: ByteBuffer(string: body))
                #expect(answer.code == "invalid_request")
            }
        }
        #expect(try Self.kept(fixture) == [])
    }

    @Test func `a payload is as long as any body`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let payload = { Form.Part("Payload", "{\"x\":\"\(String(repeating: "x", count: $0 - 8))\"}") }
            #expect(try await Self.upload(caller, [payload(65_536), Self.file]).status == .created)
            #expect(try await Self.upload(caller, [payload(65_537), Self.file]).code == "body_too_large")
        }
    }

    // MARK: sent again

    @Test func `the same upload with the same key makes one asset, whatever its boundary`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let first = try await Self.upload(caller, [Self.file], [.idempotencyKey: "k"])
            let again = try await Self.upload(caller, [Self.file], boundary: "other", [.idempotencyKey: "k"])
            #expect(again.status == .created)
            #expect(again.json == first.json)
            let other = Form.Part("File", fileName: "note.md", "# Nota")
            #expect(
                try await Self.upload(caller, [other], [.idempotencyKey: "k"]).code == "idempotency_key_reused")
        }
        #expect(try Self.kept(fixture).count == 1)
    }

    @Test func `a deleted asset's file is gone`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try Caller.Made(try await Self.upload(caller, [Self.file]))
            #expect(try Self.kept(fixture).count == 1)
            #expect(try await caller.call(.delete, "/\(made.asset)").status == .noContent)
        }
        #expect(try Self.kept(fixture) == [])
    }

    // MARK: who may not

    /// Hangs where anybody reads on: nothing of the body ever comes.
    @Test func `an upload with a bad token is refused before its body is read`() async throws {
        let fixture = try await Fixture()
        let (body, source) = AsyncStream<ByteBuffer>.makeStream()
        defer { source.finish() }
        let tokens = [
            ("Bearer nonsense", HTTPResponse.Status.unauthorized),
            ("Bearer \(fixture.token(tenant: "other"))", .forbidden),
            ("Bearer \(fixture.token(scope: "assets:read"))", .forbidden),
        ]
        for (authorization, status) in tokens {
            let head = HTTPRequest(
                method: .post, scheme: "http", authority: "x", path: "/v1/tenants/acme/assets:file",
                headerFields: [
                    .authorization: authorization, .contentType: "multipart/form-data; boundary=b",
                    .contentLength: "100000", .idempotencyKey: "k",
                ])
            let answer = try await fixture.server.responder.respond(
                to: Request(head: head, body: RequestBody(asyncSequence: body)),
                context: Context(
                    source: ApplicationRequestContextSource(
                        channel: EmbeddedChannel(), logger: Logger(label: "test"))))
            #expect(answer.status == status)
        }
        #expect(try Self.kept(fixture) == [])
    }

    // MARK: over a socket

    @Test func `a file may be as large as the bound, and no larger`() async throws {
        let fixture = try await Fixture()
        try await fixture.runLive { caller async throws in
            let file = { Form.Part("File", fileName: "a.txt", String(repeating: "a", count: $0)) }
            #expect(try await Self.upload(caller, [file(Fixture.uploadBytes)]).status == .created)
            for size in [Fixture.uploadBytes + 1, 2 * Fixture.uploadBytes] {
                let answer = try await Self.upload(caller, [file(size)])
                #expect(answer.status == .contentTooLarge)
                #expect(answer.code == "body_too_large")
                // The body was read to its end, so that the connection goes on.
                #expect(answer.headers[.connection] == nil)
            }
        }
        #expect(try Self.kept(fixture).count == 1)
    }

    @Test func `a body of more than twice the bound is not read`() async throws {
        let fixture = try await Fixture()
        try await fixture.runLive { caller async throws in
            let file = Form.Part("File", fileName: "a.txt", String(repeating: "a", count: 3 * Fixture.uploadBytes))
            let answer = try await Self.upload(caller, [file])
            #expect(answer.status == .contentTooLarge)
            #expect(answer.headers[.connection] == "close")
        }
        #expect(try Self.kept(fixture) == [])
    }

    @Test func `elsewhere a body has 64 KiB`() async throws {
        let fixture = try await Fixture()
        try await fixture.runLive { caller async throws in
            let body = "{\"x\":\"\(String(repeating: "x", count: 66_000))\"}"
            #expect(try await caller.send(.post, "", body).code == "body_too_large")
        }
    }
}

/// A form as clients send it.
struct Form {
    struct Part {
        var head: String
        var content: String

        init(_ name: String, fileName: String? = nil, type: String? = nil, _ content: String) {
            let file = fileName.map { "; filename=\"\($0)\"" } ?? ""
            let type = type.map { "\r\nContent-Type: \($0)" } ?? ""
            head = "Content-Disposition: form-data; name=\"\(name)\"\(file)\(type)"
            self.content = content
        }
    }

    let body: ByteBuffer
    let contentType: String

    init(_ parts: [Part], boundary: String) {
        let text = parts.map { "--\(boundary)\r\n\($0.head)\r\n\r\n\($0.content)\r\n" }.joined()
        body = ByteBuffer(string: text + "--\(boundary)--\r\n")
        contentType = "multipart/form-data; boundary=\(boundary)"
    }
}
