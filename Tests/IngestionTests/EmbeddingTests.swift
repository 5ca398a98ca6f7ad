import Assets
import Secrets
import TestSupport
import Testing

/// Vectors, tokens, and an embedder that fails.
@Suite struct EmbeddingTests {
    @Test func `a text is embedded in calls of as many chunks as the embedder takes`() async throws {
        let embedder = ScriptedEmbedder(mostTexts: 2, tokens: 7)
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": "1\n2\n3\n4\n5"])], embedder: embedder)
        let (asset, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(embedder.embeddedTexts == [["1", "2"], ["3", "4"], ["5"]])
        #expect(ended.counters.tokenCount == 21)
        #expect(ended.counters.chunkCount == 5)
        #expect(try await shop.texts("a", of: asset) == ["1", "2", "3", "4", "5"])
        await shop.close()
    }

    @Test func `where the embedder does not say what it took, the chunks' tokens count`() async throws {
        let shop = try await Workshop(
            ["Handbook": ScriptedSource(["a": "12345\n1234"])], embedder: ScriptedEmbedder(tokens: nil))
        let (_, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(ended.counters.tokenCount == 3)
        await shop.close()
    }

    @Test func `a document without text is not embedded`() async throws {
        let embedder = ScriptedEmbedder(tokens: 7)
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": " "])], embedder: embedder)
        let (_, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(ended.status == .completed)
        #expect(embedder.embeddedTexts.isEmpty)
        await shop.close()
    }

    @Test func `a text that the embedder refuses fails its document and costs nothing`() async throws {
        let embedder = ScriptedEmbedder(mostTexts: 1, tokens: 7) { (texts) throws(EmbedderFault) in
            if texts == ["bad"] { throw .textRefused("answered 400") }
        }
        let source = ScriptedSource(["a": "good\nbad", "b": "two"])
        let shop = try await Workshop(["Handbook": source], embedder: embedder)
        let (asset, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsFailed == 1)
        #expect(ended.counters.tokenCount == 7)
        #expect(ended.counters.chunkCount == 1)
        let document = try await shop.document("a", of: asset)
        #expect(document.failure?.code == .embedderFailed)
        #expect(document.chunkCount == 0)
        await shop.close()
    }

    @Test func `an embedder that cannot be used fails the operation, and what was done stays`() async throws {
        let embedder = ScriptedEmbedder(tokens: 7) { (texts) throws(EmbedderFault) in
            if texts == ["two"] { throw .unusable("answered 401") }
        }
        let source = ScriptedSource(["a": "one", "b": "two", "c": "three"])
        let shop = try await Workshop(["Handbook": source], embedder: embedder, documents: 1)
        let (asset, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(ended.status == .failed)
        #expect(ended.failure == .init(.embedderFailed, "the embedder can't be used: answered 401"))
        #expect(ended.counters.tokenCount == 7)
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["a.txt"])
        #expect(source.readKeys == ["a", "b"])
        await shop.close()
    }

    @Test func `an answer with fewer vectors than texts fails the operation`() async throws {
        let shop = try await Workshop(
            ["Handbook": ScriptedSource(["a": "one"])], embedder: ScriptedEmbedder(isShort: true))
        let (_, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(ended.failure == .init(.embedderFailed, "the embedder gave 0 vectors for 1 texts"))
        await shop.close()
    }

    @Test func `an asset whose model is configured no more fails before anything is read`() async throws {
        let source = ScriptedSource(["a": "one"])
        let shop = try await Workshop(["Handbook": source], embedder: nil)
        let (_, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(ended.failure?.code == .embedderFailed)
        #expect(source.listedPages.isEmpty)
        await shop.close()
    }
}
