import Assets
import Daemon
import Formats
import Secrets
import StrictYAML

/// A model that callers may choose, and the way to it.
struct ModelSettings {
    var model: EmbeddingModel
    /// The address that texts are sent to.
    var url: StrictURL
    /// `nil`: it asks for none.
    var apiKey: SecretBytes?
}

extension ConfigurationReader {
    /// The list `embedding.models`, in the file's order.
    ///
    /// - Parameter allowInsecure: embedders may be anywhere at plain http.
    func models(allowInsecure: Bool) -> [ModelSettings] {
        let section = section("embedding")
        defer { section.finish() }
        var models: [ModelSettings] = []
        for entry in section.sections("models") {
            let model = model(entry, allowInsecure: allowInsecure)
            entry.finish()
            guard let model else { continue }
            if models.contains(where: { $0.model.name == model.model.name }) {
                entry.problem("model", found: "the model a second time", wanted: "one entry for each")
            }
            models.append(model)
        }
        return models
    }

    private func model(_ entry: YAMLReader, allowInsecure: Bool) -> ModelSettings? {
        let provider = name("provider", "the name of whoever offers it, such as openai", in: entry)
        let model = name("model", "the model's name, such as text-embedding-3-small", in: entry)
        let url = embedderURL(entry, allowInsecure: allowInsecure)
        let key = entry.string("apiKeyFile").flatMap { apiKey($0, in: entry) }
        let dimensions = required("dimensions", "the numbers of a vector", in: entry) {
            entry.integer("dimensions", in: 1...65_536)
        }
        let price = required("pricePerMillionTokens", "the price in USD; 0 where it costs nothing", in: entry) {
            entry.number("pricePerMillionTokens", upTo: 1_000_000)
        }
        let description = entry.string("description") ?? ""
        guard let provider, let model, let url, let dimensions, let price else { return nil }
        return ModelSettings(
            model: EmbeddingModel(
                name: EmbeddingModel.Name(provider: provider, model: model), dimensions: dimensions,
                description: description, pricePerMillionTokens: price),
            url: url, apiKey: key)
    }

    private func name(_ member: String, _ wanted: String, in entry: YAMLReader) -> String? {
        guard let text = entry.required(member, wanted) else { return nil }
        guard text.unicodeScalars.count <= 200 else {
            entry.problem(member, found: "more than 200 characters", wanted: wanted)
            return nil
        }
        return text
    }

    private func required<Value>(
        _ member: String, _ wanted: String, in entry: YAMLReader, _ value: () -> Value?
    ) -> Value? {
        if !entry.names.contains(member) { entry.problem(member, found: "nothing", wanted: wanted) }
        return value()
    }

    private func embedderURL(_ entry: YAMLReader, allowInsecure: Bool) -> StrictURL? {
        let wanted = "the https address of an embedder, such as https://api.openai.com/v1/embeddings"
        guard let text = entry.required("url", wanted) else { return nil }
        guard let url = StrictURL(text), url.isHTTPS || url.isLoopback || allowInsecure else {
            entry.problem("url", found: text.quotedAddress, wanted: wanted)
            return nil
        }
        return url
    }

    private func apiKey(_ file: String, in entry: YAMLReader) -> SecretBytes? {
        let wanted = "the embedder's key"
        guard let bytes = secret(file, of: "apiKeyFile", in: entry, wanted: wanted) else { return nil }
        // RFC 6750 § 2.1: else it would not fit into a header.
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            entry.problem("apiKeyFile", found: "\(file.quoted), which holds more than a key", wanted: wanted)
            return nil
        }
        return SecretBytes(bytes)
    }
}
