/// One value, or any of several: a text or a list of texts in JSON.
public struct Choice: Decodable, Sendable, Equatable, ExpressibleByStringLiteral {
    /// Any of these is right. Members of ``ProviderRequirement`` say where `-` or `*` among them has a meaning of its own.
    public let values: [String]

    init(values: [String]) {
        self.values = values
    }

    /// A choice of one value.
    public init(stringLiteral value: String) {
        values = [value]
    }

    /// Reads a text as a list of one; throws where the JSON is neither a text nor a list of texts.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        values = try (try? [container.decode(String.self)]) ?? container.decode([String].self)
    }

    func contains(_ value: String) -> Bool { values.contains(value) }

    /// As words of a sentence.
    var words: String { values.joined(separator: " or ") }
}
