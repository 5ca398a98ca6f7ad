/// Turns text into vectors.
public protocol Embedder: Sendable {
    /// The most texts of one call.
    var mostTexts: Int { get }

    /// A vector for each text, in order. Tries again by itself where that may help.
    func embed(_ texts: [String]) async throws(EmbedderFault) -> Embeddings
}

/// An embedder's answer.
public struct Embeddings: Sendable {
    /// One for each text, of the model's dimensions.
    public var vectors: [[Float]]
    /// The tokens that the embedder says it charges for; `nil` where it says nothing.
    public var tokenCount: Int?

    public init(vectors: [[Float]], tokenCount: Int?) {
        self.vectors = vectors
        self.tokenCount = tokenCount
    }
}

/// A reason why an embedder gave no vectors, after all tries.
public enum EmbedderFault: Error, Sendable, Hashable {
    /// It refuses these texts (400): the document fails, others go on.
    case textRefused(String)
    /// It would refuse all others too, or does not answer: the operation fails.
    case unusable(String)
    /// The task was cancelled.
    case cancelled
}
