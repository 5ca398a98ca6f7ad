public import Assets
import Formats

/// The choices that callers have: what is read, from where, and by what it is embedded.
public struct AssetCatalog: Sendable {
    /// Those that are read, sorted by name; `file` is one of them.
    public let sourceTypes: [SourceType]
    public let supportedTypes: [SupportedType]
    public let models: EmbeddingModels
    /// For callers who do not choose.
    public let chunkSize: Int
    /// For callers who do not choose.
    public let chunkOverlap: Int

    public init(
        sourceTypes: [SourceType], supportedTypes: [SupportedType], models: [EmbeddingModel], chunkSize: Int,
        chunkOverlap: Int
    ) {
        self.sourceTypes = sourceTypes
        self.supportedTypes = supportedTypes
        self.models = EmbeddingModels(models)
        self.chunkSize = chunkSize
        self.chunkOverlap = chunkOverlap
    }

    /// The source type of uploads.
    static let file = "file"

    func sourceType(_ name: String) -> SourceType? { sourceTypes.first { $0.name.isExactly(name) } }

    /// A type that is read no more is told by what was kept.
    func takesCredentials(_ source: Asset.Source) -> Bool {
        sourceType(source.type).map { $0.authorization != .none } ?? source.hasCredentials
    }
}

/// The models that the operator configured.
public struct EmbeddingModels: Sendable {
    let all: [EmbeddingModel]

    init(_ models: [EmbeddingModel]) { all = models }

    /// `nil` where it is not configured.
    subscript(name: EmbeddingModel.Name) -> EmbeddingModel? {
        all.first { $0.name.provider.isExactly(name.provider) && $0.name.model.isExactly(name.model) }
    }

    /// In USD at the price of now; `nil` where the model is configured no more.
    func cost(ofTokens count: Int, of model: EmbeddingModel.Name?) -> Double? {
        Cost.inUSD(ofTokens: count, of: model) { self[$0]?.pricePerMillionTokens }
    }
}
