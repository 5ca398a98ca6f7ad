import Formats
package import StrictYAML
import Yams

/// All source types of this installation. Made once at start; nothing changes it.
public struct Catalog: Sendable {
    /// Sorted by id.
    public let sourceTypes: [SourceType]
    private let byID: [SourceType.ID: SourceType]
    /// Providers' addresses may be plain http, as in a trial (`provider.allowInsecure`).
    package let allowsInsecure: Bool

    /// `nil` where no file of the catalog has a sound entry of this name.
    public subscript(id: SourceType.ID) -> SourceType? { byID[id] }

    /// The names under which clients may be configured: source types and providers, where there is OAuth.
    package var clientNames: Set<String> {
        Set(sourceTypes.filter { $0.oauth != nil }.flatMap { [$0.id.description, $0.provider] })
    }

    init(_ sourceTypes: [SourceType.ID: SourceType], allowsInsecure: Bool) {
        self.allowsInsecure = allowsInsecure
        byID = sourceTypes
        self.sourceTypes = sourceTypes.values.sorted { $0.id < $1.id }
    }

    /// The built-in catalog, then `files` in their order: each adds source types, or replaces them whole.
    ///
    /// Each mistake goes to `findings` as one line; the result then holds the sound entries.
    package init(files: [(name: String, text: String)] = [], allowInsecure: Bool, findings: Findings) {
        self.init(own: BuiltInCatalog.files + files, allowInsecure: allowInsecure, findings: findings)
    }

    /// The source types of `files` alone, without the built-in ones. Mistakes as above.
    package init(own files: [(name: String, text: String)], allowInsecure: Bool, findings: Findings) {
        var sourceTypes: [SourceType.ID: SourceType] = [:]
        for (name, text) in files {
            guard let top = YAMLReader(text: text, file: name, findings: findings) else { continue }
            if let entries = top.section("sourceTypes") {
                for name in entries.names {
                    guard let entry = entries.section(name) else { continue }
                    guard let id = SourceType.ID(name) else {
                        entries.problem(
                            name, found: name.quoted, wanted: "a source type like \(SourceType.ID.pattern)")
                        continue
                    }
                    if let sourceType = SourceType(entry, id: id, allowInsecure: allowInsecure) {
                        sourceTypes[id] = sourceType
                    }
                }
            } else if !top.names.contains("sourceTypes") {
                top.problem("sourceTypes", found: "nothing", wanted: "a mapping of source types")
            }
            top.finish()
        }
        self.init(sourceTypes, allowsInsecure: allowInsecure)
    }

}

extension SourceType {
    init?(_ entry: YAMLReader, id: ID, allowInsecure: Bool) {
        let before = entry.findings.lines.count
        let displayName = entry.required("displayName", "the name that people know it by")
        let category = entry.required("category", "a word such as drive, wiki or chat")
        let provider = entry.string("provider") ?? id.description
        if ID(provider) == nil {
            entry.problem("provider", found: provider.quoted, wanted: "a name like \(SourceType.ID.pattern)")
        }
        let documentation = entry.string("documentation")
        let registration = entry.string("registration")
        let section = entry.section("oauth")
        let oauth = section.flatMap { OAuthProfile($0, allowInsecure: allowInsecure) }
        oauth?.sourceType = id
        entry.finish()
        guard let displayName, let category, entry.findings.lines.count == before else { return nil }
        self.init(
            id: id, displayName: displayName, category: category, provider: provider, documentation: documentation,
            registration: registration, oauth: oauth)
    }
}
