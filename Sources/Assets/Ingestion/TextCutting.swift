/// Cuts a text into chunks, has them embedded and keeps them, some at a time: of a large text only those are in memory.
struct TextCutting: Sendable {
    private let chunker: Chunker
    private let embedder: (any Embedder)?
    private let store: DurableStore

    /// The last chunks of a text, whose others are staged, and the sums over all of them.
    struct Cut: Sendable {
        var last: [StagedChunk] = []
        var chunkCount = 0
        var tokenCount = 0
        /// The embedder's word, else the sum over the chunks.
        var tokensSpent = 0
    }

    enum Failure: Error {
        /// This text failed, others go on.
        case text(Document.Failure)
        case all(IngestionPlan.Stop)
    }

    /// - Parameter embedder: `nil`: chunks without vectors.
    init(_ settings: EmbeddingSettings, embedder: (any Embedder)?, store: DurableStore) {
        chunker = Chunker(size: settings.chunkSize, overlap: settings.chunkOverlap)
        self.embedder = embedder
        self.store = store
    }

    func cut(_ text: ExtractedText, of item: ItemID) async throws(Failure) -> Cut {
        var cut = Cut()
        var batch = ChunkBatch(mostChunks: embedder.map { min($0.mostTexts, ChunkBatch.most) } ?? ChunkBatch.most)
        for chunk in chunker.chunks(of: text) {
            if !batch.takes(chunk) {
                let staged = try await embed(batch.removeAll(), &cut)
                do throws(IngestionPlan.Stop) {
                    try await store.advance { store throws(AssetStoreError) in
                        try await store.stage(staged, of: item, of: self.store.operation)
                    }
                } catch {
                    throw .all(error)
                }
            }
            batch.append(chunk)
            cut.chunkCount += 1
            cut.tokenCount += chunk.tokenCount
        }
        if !batch.chunks.isEmpty { cut.last = try await embed(batch.removeAll(), &cut) }
        return cut
    }

    private func embed(_ chunks: [Chunk], _ cut: inout Cut) async throws(Failure) -> [StagedChunk] {
        if Task.isCancelled { throw .all(.dropped) }
        let counted = chunks.reduce(0) { $0 + $1.tokenCount }
        guard let embedder else {
            cut.tokensSpent += counted
            return chunks.map { StagedChunk($0) }
        }
        let answer: Embeddings
        do throws(EmbedderFault) {
            answer = try await embedder.embed(chunks.map(\.content))
        } catch {
            throw Task.isCancelled ? .all(.dropped) : Failure(error)
        }
        guard answer.vectors.count == chunks.count else {
            throw .all(.failed(.vectorsMissing(got: answer.vectors.count, of: chunks.count)))
        }
        cut.tokensSpent += answer.tokenCount ?? counted
        return zip(chunks, answer.vectors).map { StagedChunk($0, vector: $1) }
    }
}

extension TextCutting.Failure {
    fileprivate init(_ fault: EmbedderFault) {
        switch fault {
        case .textRefused(let reason): self = .text(.refusedByEmbedder(reason))
        case .unusable(let reason): self = .all(.failed(.unusableEmbedder(reason)))
        case .cancelled: self = .all(.failed(.unusableEmbedder("the call was given up")))
        }
    }
}

/// Chunks that are embedded in one call and kept in one commit.
struct ChunkBatch: Sendable {
    /// A commit for fewer would cost more than its chunks.
    static let most = 256
    /// Half a mebibyte of text, and less than what embedders take in one call.
    private static let mostTokens = 131_072

    let mostChunks: Int
    private(set) var chunks: [Chunk] = []
    private var tokens = 0

    init(mostChunks: Int) { self.mostChunks = max(mostChunks, 1) }

    func takes(_ chunk: Chunk) -> Bool {
        chunks.isEmpty || (chunks.count < mostChunks && tokens + chunk.tokenCount <= Self.mostTokens)
    }

    mutating func append(_ chunk: Chunk) {
        chunks.append(chunk)
        tokens += chunk.tokenCount
    }

    mutating func removeAll() -> [Chunk] {
        defer { (chunks, tokens) = ([], 0) }
        return chunks
    }
}
