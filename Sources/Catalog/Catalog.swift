import Formats
package import StrictYAML
import Yams

/// All source types of this installation. Made once at start; nothing changes it.
public struct Catalog: Sendable {
    /// Sorted by id. What a file of the operator's holds was read already, the built-in ones when they are asked for.
    public let entries: [CatalogEntry]
    private let byID: [SourceType.ID: CatalogEntry]
    /// The entries that come from a file of the operator's.
    package let own: Set<SourceType.ID>
    /// Providers' addresses may be plain http, as in a trial (`provider.allowInsecure`).
    package let allowsInsecure: Bool

    /// Every source type, sorted by id. Reads those that were not read yet, and keeps them.
    public var sourceTypes: [SourceType] { entries.compactMap(\.sourceType) }

    /// `nil` where no file of the catalog has a sound entry of this name.
    public subscript(id: SourceType.ID) -> SourceType? { byID[id]?.sourceType }

    /// The names under which clients may be configured: source types and providers, where there is OAuth.
    package var clientNames: Set<String> {
        Set(entries.filter(\.hasOAuth).flatMap { [$0.id.description, $0.provider] })
    }

    /// The source types with OAuth for which a client of one of these names is good, sorted by id. Reads no others.
    package func sourceTypes(of clients: some Collection<String>) -> [SourceType] {
        let names = Set(clients)
        return entries.filter { $0.hasOAuth && (names.contains($0.id.description) || names.contains($0.provider)) }
            .compactMap(\.sourceType)
    }

    private init(_ byID: [SourceType.ID: CatalogEntry], own: Set<SourceType.ID>, allowsInsecure: Bool) {
        self.own = own
        self.allowsInsecure = allowsInsecure
        self.byID = byID
        entries = byID.values.sorted { $0.id < $1.id }
    }

    /// The built-in catalog, then `files` in their order: each adds source types, or replaces them whole.
    ///
    /// Each mistake in `files` goes to `findings` as one line; the result then holds the sound entries.
    package init(files: [(name: String, text: String)] = [], allowInsecure: Bool, findings: Findings) {
        let builtIn = BuiltInCatalog.entries(allowInsecure: allowInsecure)
        let own = Self.sourceTypes(in: files, allowInsecure: allowInsecure, findings: findings)
        self.init(
            Dictionary(builtIn.map { ($0.id, $0) }) { $1 }.merging(own.mapValues { CatalogEntry($0) }) { $1 },
            own: Set(own.keys), allowsInsecure: allowInsecure)
    }

    /// The source types of `files` alone, without the built-in ones. Mistakes as above.
    package init(own files: [(name: String, text: String)], allowInsecure: Bool, findings: Findings) {
        let own = Self.sourceTypes(in: files, allowInsecure: allowInsecure, findings: findings)
        self.init(own.mapValues { CatalogEntry($0) }, own: Set(own.keys), allowsInsecure: allowInsecure)
    }

    /// The built-in catalog, read whole: for tests, since nothing else would tell its mistakes.
    package static func builtIn(findings: Findings) -> Catalog {
        Catalog(own: BuiltInCatalog.texts, allowInsecure: false, findings: findings)
    }

    /// The lines of a built-in entry, as the text of a file with it alone; `nil` where none has that name.
    package static func builtInText(of id: SourceType.ID) -> String? { BuiltInCatalog.text(of: id) }

    /// The sound source types of some files, the later over the earlier.
    static func sourceTypes(
        in files: [(name: String, text: String)], allowInsecure: Bool, findings: Findings = Findings()
    ) -> [SourceType.ID: SourceType] {
        var sourceTypes: [SourceType.ID: SourceType] = [:]
        for (name, text) in files {
            guard let top = YAMLReader(text: text, file: name, findings: findings) else { continue }
            if let entries = top.section("sourceTypes") {
                for name in entries.names {
                    guard let entry = entries.section(name) else { continue }
                    let id = SourceType.ID(name)
                    if id == nil {
                        entries.problem(
                            name, found: name.quoted, wanted: "a source type like \(SourceType.ID.pattern)")
                    }
                    // Also under a name that is none, so that its other mistakes are told at once.
                    let sourceType = SourceType(entry, id: id, allowInsecure: allowInsecure)
                    if let id, let sourceType { sourceTypes[id] = sourceType }
                }
            } else if !top.names.contains("sourceTypes") {
                top.problem("sourceTypes", found: "nothing", wanted: "a mapping of source types")
            }
            top.finish()
        }
        return sourceTypes
    }
}

extension SourceType {
    /// - Parameter id: `nil` where the entry's name is none: its mistakes are reported all the same.
    init?(_ entry: YAMLReader, id: ID?, allowInsecure: Bool) {
        let before = entry.findings.lines.count
        let displayName = entry.required("displayName", "the name that people know it by")
        let category = entry.required("category", "a word such as drive, wiki or chat")
        let named = entry.string("provider")
        if let named, ID(named) == nil {
            entry.problem("provider", found: named.quoted, wanted: "a name like \(SourceType.ID.pattern)")
        }
        let documentation = entry.string("documentation")
        let registration = entry.string("registration")
        let section = entry.section("oauth")
        let oauth = section.flatMap { OAuthProfile($0, allowInsecure: allowInsecure) }
        oauth?.sourceType = id
        entry.finish()
        guard let id, let displayName, let category, entry.findings.lines.count == before else { return nil }
        self.init(
            id: id, displayName: displayName, category: category, provider: named ?? id.description,
            documentation: documentation, registration: registration, oauth: oauth)
    }
}
