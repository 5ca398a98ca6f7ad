import Assets
import Formats

extension Asset {
    /// The asset as callers see it. No member ever holds a credential.
    func json(by catalog: AssetCatalog) -> JSONValue {
        .object([
            "id": .string(id.description),
            "displayName": .string(displayName),
            "type": .string(source.type),
            "vectorized": .bool(isVectorized),
            "embeddingStatus": .string(status.rawValue),
            "integrationId": catalog.takesCredentials(source) ? .string(source.type) : .null,
            "config": .object([
                "sourceType": .string(source.type), "parameters": .object(source.parameters.mapValues(\.json)),
            ]),
            "embedding": embedding.json,
            "budget": budget(by: catalog),
            "embeddingLlmConfigId": .text(embeddingLlmConfigID),
            "documentCount": .count(documentCount),
            "chunkCount": .count(chunkCount),
            "autoUpdate": .bool(false),
            "supportsAutoUpdate": .bool(false),
            "supportsWebhookRegistration": .bool(false),
            "supportsPollSchedule": .bool(false),
            "createdAt": .time(createdAt),
            "modifiedAt": .time(modifiedAt),
            "createdBy": .text(createdBy),
        ])
    }

    /// The money spent, at the price of now.
    private func budget(by catalog: AssetCatalog) -> JSONValue {
        .object([
            "totalTokenCount": .count(tokenCount),
            "totalCost": .money(catalog.models.cost(ofTokens: tokenCount, of: embedding.model)),
            "pricePerMillionTokens": .money(embedding.model.flatMap { catalog.models[$0]?.pricePerMillionTokens }),
        ])
    }
}

extension EmbeddingSettings {
    fileprivate var json: JSONValue {
        .object([
            "provider": .text(model?.provider), "model": .text(model?.model), "chunkSize": .count(chunkSize),
            "chunkOverlap": .count(chunkOverlap),
        ])
    }
}

extension ParameterValue {
    var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .boolean(let flag): .bool(flag)
        case .integer(let number): .integer(Int64(number))
        }
    }
}
