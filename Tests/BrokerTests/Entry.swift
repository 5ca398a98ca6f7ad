import Broker
import Catalog
import StrictYAML
import Testing

/// A catalog entry under test: `oauth` members and, around them, what every entry needs.
enum Entry {
    static let file = "mine.yaml"

    /// The YAML of a file with one source type, `example`.
    ///
    /// - Parameters:
    ///   - oauth: lines of the `oauth` member, besides the two addresses.
    ///   - addresses: the two addresses, where an entry needs others.
    static func yaml(
        _ oauth: String = "",
        addresses: String = "authorizationURL: https://example.com/authorize\ntokenURL: https://example.com/token",
        more: String = "displayName: Example\ncategory: wiki"
    ) -> String {
        """
        sourceTypes:
          example:
        \(indented(more, by: 4))
            oauth:
        \(indented(addresses, by: 6))
        \(indented(oauth, by: 6))
        """
    }

    /// The catalog's findings on the files.
    static func findings(_ texts: String..., allowInsecure: Bool = false) -> [String] {
        load(texts, allowInsecure: allowInsecure).findings
    }

    static func load(_ texts: [String], allowInsecure: Bool = false) -> (catalog: Catalog, findings: [String]) {
        let findings = Findings()
        let files = texts.map { (name: file, text: $0) }
        let catalog = Catalog(own: files, allowInsecure: allowInsecure, findings: findings)
        return (catalog, findings.lines)
    }

    /// The built-in catalog with a file of one's own over it.
    static func overBuiltIn(_ text: String) -> (catalog: Catalog, findings: [String]) {
        let findings = Findings()
        let catalog = Catalog(files: [(file, text)], allowInsecure: false, findings: findings)
        return (catalog, findings.lines)
    }

    /// The source type of a sound entry.
    static func sourceType(_ yaml: String, allowInsecure: Bool = false) throws -> SourceType {
        let (catalog, findings) = load([yaml], allowInsecure: allowInsecure)
        try #require(findings == [])
        return try #require(SourceType.ID("example").flatMap { catalog[$0] })
    }

    /// The profile of a sound entry with these `oauth` members.
    static func profile(_ oauth: String = "") throws -> OAuthProfile {
        try #require(try sourceType(yaml(oauth)).oauth)
    }

    private static func indented(_ text: String, by spaces: Int) -> String {
        text.split(separator: "\n").map { String(repeating: " ", count: spaces) + $0 }.joined(separator: "\n")
    }
}
