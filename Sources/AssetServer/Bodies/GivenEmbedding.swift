import Assets
import Formats
import HTTPService
import HTTPTypes

/// The way of cutting and embedding that a caller asks for.
struct GivenEmbedding {
    var model: EmbeddingModel.Name?
    var chunkSize: Int?
    var chunkOverlap: Int?

    /// That of a caller who asks for nothing.
    init() {}

    /// Reads `provider`, `model`, `chunkSize` and `chunkOverlap`. Throws where only one of the first two is there.
    init(_ members: BodyMembers) throws(Problem) {
        let (provider, model) = (try members.text("provider"), try members.text("model"))
        switch (provider, model) {
        case (let provider?, let model?): self.model = EmbeddingModel.Name(provider: provider, model: model)
        case (nil, nil): break
        case (_?, nil): throw members.missing("model")
        case (nil, _?): throw members.missing("provider")
        }
        chunkSize = try members.number("chunkSize", Self.sizes)
        chunkOverlap = try members.number("chunkOverlap", 0...Self.sizes.upperBound / 2)
    }

    private static let sizes = 16...8192

    /// The settings, with the catalog's in place of what was not said. Throws `unknown_embedding_model`, and
    /// `invalid_request` where chunks would share half of themselves.
    func settings(by catalog: AssetCatalog) throws(Problem) -> EmbeddingSettings {
        if let model, catalog.models[model] == nil {
            throw Problem(
                status: .badRequest, code: "unknown_embedding_model",
                detail: "there is no such embedding model; assets/embeddingModels lists them")
        }
        let size = chunkSize ?? catalog.chunkSize
        if let chunkOverlap, chunkOverlap * 2 >= size {
            throw .invalidRequest("\"chunkOverlap\" must be less than half of \"chunkSize\", which is \(size)")
        }
        // Nobody chose the usual overlap for this size.
        let overlap = chunkOverlap ?? min(catalog.chunkOverlap, (size - 1) / 2)
        return EmbeddingSettings(model: model, chunkSize: size, chunkOverlap: overlap)
    }
}
