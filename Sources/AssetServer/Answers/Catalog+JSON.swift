import Assets
import BrokerClient
import Formats

extension SourceType {
    /// The source type as the broker tells it, with the properties that are ours to say.
    ///
    /// - Parameter known: the broker's own word; `nil` where it has none, or could not be asked: then nothing of this type
    ///   can be connected now.
    func json(asKnown known: BrokerSourceType?) -> JSONValue {
        .object([
            "type": .string(name),
            "displayName": .string(known?.displayName ?? displayName),
            "category": .string(known?.category ?? category),
            "supportsOAuth": .bool(known.map { $0.oauth != nil } ?? (authorization != .none)),
            "configured": .bool(known?.isConfigured ?? (authorization == .none)),
            "oauth": known.map { $0.oauth?.json ?? .null } ?? .null,
            "properties": .array(properties.map(\.json)),
        ])
    }
}

extension SourceProperty {
    fileprivate var json: JSONValue {
        .object([
            "name": .string(name), "type": .string(kind.rawValue), "required": .bool(isRequired),
            "default": defaultValue?.json ?? .null, "description": .string(description),
        ])
    }
}

extension BrokerSourceType.OAuth {
    fileprivate var json: JSONValue {
        .object([
            "scopes": .array(scopes.map { .string($0) }),
            "parameters": .array(
                parameters.map { parameter in
                    .object([
                        "name": .string(parameter.name), "description": .string(parameter.description),
                        "pattern": .string(parameter.pattern), "required": .bool(parameter.isRequired),
                    ])
                }),
        ])
    }
}

extension SupportedType {
    var json: JSONValue {
        .object([
            "contentType": .string(contentType), "extensions": .array(extensions.map { .string($0) }),
            "description": .string(description),
        ])
    }
}

extension EmbeddingModel {
    var json: JSONValue {
        .object([
            "provider": .string(name.provider), "model": .string(name.model), "dimensions": .count(dimensions),
            "description": .string(description), "pricePerMillionTokens": .money(pricePerMillionTokens),
        ])
    }
}
