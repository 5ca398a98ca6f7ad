/// A model that the operator configured, at an address that speaks OpenAI's `/v1/embeddings`.
public struct EmbeddingModel: Sendable {
    /// The names by which callers choose a model.
    public struct Name: Sendable, Hashable {
        /// Such as `openai`.
        public var provider: String
        /// Such as `text-embedding-3-small`.
        public var model: String

        public init(provider: String, model: String) {
            self.provider = provider
            self.model = model
        }
    }

    public var name: Name
    public var dimensions: Int
    public var description: String
    /// In USD.
    public var pricePerMillionTokens: Double

    public init(name: Name, dimensions: Int, description: String, pricePerMillionTokens: Double) {
        self.name = name
        self.dimensions = dimensions
        self.description = description
        self.pricePerMillionTokens = pricePerMillionTokens
    }
}
