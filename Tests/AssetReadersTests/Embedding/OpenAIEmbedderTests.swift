import Assets
import Formats
import Secrets
import Testing
import Transport

@testable import AssetReaders

@Suite struct OpenAIEmbedderTests {
    private func fault(_ script: ScriptedEmbedder, _ texts: [String] = ["a"], attempts: Int = 3) async -> EmbedderFault?
    {
        do throws(EmbedderFault) {
            _ = try await (try? script.embedder(attempts: attempts))?.embed(texts)
            return nil
        } catch {
            return error
        }
    }

    private func status(
        _ status: Int, _ headers: [(name: String, value: String)] = [], _ body: String = ""
    ) -> ScriptedEmbedder.Answer {
        .success(TransportResponse(status: status, headers: headers, body: Array(body.utf8)))
    }

    // MARK: the call

    @Test func `a call names the model, its texts and the form of the numbers`() async throws {
        let script = ScriptedEmbedder()
        _ = try await script.embedder().embed(["one", "two \"quoted\"\n"])
        let request = try #require(script.requests.first)
        #expect(request.method == .post && request.url == "https://api.example.com/v1/embeddings")
        #expect(
            String(decoding: request.body ?? [], as: UTF8.self)
                == #"{"model":"m-1","input":["one","two \"quoted\"\n"],"encoding_format":"float"}"#)
        #expect(
            request.headers.map { "\($0.name): \($0.value)" }.sorted() == [
                "accept: application/json", "authorization: Bearer k3y", "content-type: application/json",
            ])
    }

    @Test func `without a key no authorization is sent`() async throws {
        let script = ScriptedEmbedder()
        _ = try await script.embedder(key: nil).embed(["one"])
        #expect(script.requests.first?.headers.contains { $0.name == "authorization" } == false)
    }

    @Test func `vectors come in the order of the texts, whatever the answer's`() async throws {
        let answer = try await ScriptedEmbedder().embedder().embed(["a", "bb", "ccc"])
        #expect(answer.vectors == [[1, 0.5, -0.001], [2, 0.5, -0.001], [3, 0.5, -0.001]])
        #expect(answer.tokenCount == 30)
    }

    @Test func `a call has at most 64 texts`() async throws {
        let script = ScriptedEmbedder()
        let texts = (0..<130).map { String(repeating: "x", count: $0 + 1) }
        let answer = try await script.embedder().embed(texts)
        #expect(try script.inputs.map(\.count) == [64, 64, 2])
        #expect(try script.inputs.flatMap(\.self) == texts)
        #expect(answer.vectors.map { $0[0] } == (1...130).map(Float.init))
        #expect(answer.tokenCount == 1300)
    }

    /// 64 of the longest chunks have more tokens than the API takes in one call.
    @Test func `a call has at most half a mebibyte of text, or one text`() async throws {
        let script = ScriptedEmbedder()
        let (long, huge) = (String(repeating: "x", count: 32_768), String(repeating: "y", count: 600_000))
        _ = try await script.embedder().embed(Array(repeating: long, count: 20) + [huge, "z"])
        #expect(try script.inputs.map(\.count) == [16, 4, 1, 1])
    }

    @Test func `no texts need no call`() async throws {
        let script = ScriptedEmbedder()
        let answer = try await script.embedder().embed([])
        #expect(answer.vectors.isEmpty && answer.tokenCount == 0 && script.requests.isEmpty)
    }

    // MARK: tries

    @Test(arguments: [429, 500, 502, 503, 504, 529])
    func `an overloaded embedder is asked again`(_ code: Int) async throws {
        let script = ScriptedEmbedder([status(code), status(code)])
        #expect(try await script.embedder().embed(["a"]).vectors.count == 1)
        #expect(script.pauses == [.seconds(1), .seconds(2)])
    }

    @Test(arguments: [TransportError.unreachable, .connectionRefused, .nameNotResolved, .timedOut, .overloaded])
    func `a broken connection is tried again`(_ error: TransportError) async throws {
        let script = ScriptedEmbedder([.failure(error)])
        #expect(try await script.embedder().embed(["a"]).vectors.count == 1)
        #expect(script.requests.count == 2)
    }

    @Test func `the embedder's word on the wait counts, within bounds`() async throws {
        let script = ScriptedEmbedder([
            status(429, [("retry-after", "7")]), status(503, [("retry-after", "Mon, 21 Sep 2026 14:13:30 GMT")]),
            status(429, [("retry-after", "3600")]),
        ])
        _ = try await script.embedder(attempts: 4).embed(["a"])
        #expect(script.pauses == [.seconds(7), .seconds(10), .seconds(60)])
    }

    @Test func `after all tries the embedder is unusable`() async {
        let script = ScriptedEmbedder(Array(repeating: status(503), count: 9))
        #expect(await fault(script) == .unusable("it answered 503, after all tries"))
        #expect(script.requests.count == 3)
    }

    @Test func `tries count for each call anew`() async throws {
        let ok = ScriptedEmbedder.Answer.success(
            .json(
                #"{"data":[\#((0..<64).map { #"{"index":\#($0),"embedding":[1,2,3]}"# }.joined(separator: ","))]}"#))
        let script = ScriptedEmbedder([status(503), status(503), ok, status(503), status(503)])
        #expect(try await script.embedder().embed(Array(repeating: "a", count: 65)).vectors.count == 65)
    }

    @Test func `a document that is dropped while it waits ends the tries`() async throws {
        let script = ScriptedEmbedder([status(503)])
        let embedder = try script.embedder(cancelling: true)
        await #expect(throws: EmbedderFault.cancelled) { try await embedder.embed(["a"]) }
        #expect(script.requests.count == 1)
    }

    @Test func `a transport that was shut down is no embedder's fault`() async {
        #expect(await fault(ScriptedEmbedder([.failure(.cancelled)])) == .cancelled)
    }

    // MARK: refusals

    @Test func `a refused text fails alone, and is not sent again`() async {
        let script = ScriptedEmbedder([status(400)])
        #expect(await fault(script) == .textRefused("it answered 400"))
        #expect(script.requests.count == 1)
    }

    @Test(arguments: [401, 403, 404, 301, 402, 413, 422, 204])
    func `other refusals are the embedder's, and are not tried again`(_ code: Int) async {
        let script = ScriptedEmbedder([status(code, [("retry-after", "1")])])
        guard case .unusable(let words)? = await fault(script) else {
            Issue.record("another fault")
            return
        }
        #expect(words.contains("\(code)"))
        #expect(script.requests.count == 1)
    }

    @Test(arguments: [TransportError.tlsFailed, .addressNotAllowed, .responseTooLarge, .malformedResponse])
    func `a connection that cannot be is not tried again`(_ error: TransportError) async {
        let script = ScriptedEmbedder([.failure(error)])
        guard case .unusable? = await fault(script) else {
            Issue.record("another fault")
            return
        }
        #expect(script.requests.count == 1)
    }

    @Test(arguments: [400, 401, 403, 404, 429, 500])
    func `no fault repeats the key, the text or the embedder's words`(_ code: Int) async throws {
        let body = #"{"error":{"message":"Incorrect API key: k3y for s3cret text","code":"k3y"}}"#
        let fault = try #require(
            await fault(ScriptedEmbedder(Array(repeating: status(code, [], body), count: 3)), ["s3cret text"]))
        #expect(!"\(fault)".contains("k3y") && !"\(fault)".contains("s3cret"))
    }

    @Test func `nothing of an embedder prints its key`() throws {
        let embedder = try ScriptedEmbedder().embedder()
        var dumped = ""
        dump(embedder, to: &dumped)
        #expect(!dumped.contains("k3y") && !"\(embedder)".contains("k3y"))
    }
}
