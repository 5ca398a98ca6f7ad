/// The way an asset's text is cut and embedded.
public struct EmbeddingSettings: Sendable, Hashable {
    /// `nil`: chunks without vectors.
    public var model: EmbeddingModel.Name?
    /// The most tokens of a chunk, 16 to 8192.
    public var chunkSize: Int
    /// The most tokens that a chunk shares with the one before; less than half of `chunkSize`.
    public var chunkOverlap: Int

    public init(model: EmbeddingModel.Name?, chunkSize: Int, chunkOverlap: Int) {
        self.model = model
        self.chunkSize = chunkSize
        self.chunkOverlap = chunkOverlap
    }
}
