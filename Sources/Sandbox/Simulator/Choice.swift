/// One value, or any of several: a text or a list of texts in JSON.
public struct Choice: Decodable, Sendable, Equatable, ExpressibleByStringLiteral {
    public let values: [String]

    public init(stringLiteral value: String) {
        values = [value]
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        values = try (try? [container.decode(String.self)]) ?? container.decode([String].self)
    }

    func contains(_ value: String) -> Bool { values.contains(value) }

    /// As words of a sentence.
    var words: String { values.joined(separator: " or ") }
}
