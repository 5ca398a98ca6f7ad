import Formats
import StrictYAML
import Testing

@testable import Broker
@testable import Catalog

/// Built-in entries are found without reading YAML, and read when they are asked for.
@Suite struct BuiltInIndexTests {
    /// Read once: it is large.
    private static let whole = Catalog.builtIn(findings: Findings())

    private static func catalog() -> Catalog { Catalog(allowInsecure: false, findings: Findings()) }

    @Test func `the index has what the YAML has`() throws {
        let whole = Self.whole
        let catalog = Self.catalog()
        #expect(catalog.entries.map(\.id) == whole.entries.map(\.id))
        #expect(catalog.entries.map(\.provider) == whole.entries.map(\.provider))
        #expect(catalog.entries.map(\.hasOAuth) == whole.entries.map(\.hasOAuth))
        let found = { (catalog: Catalog) in catalog.entries.filter(\.isFound).map(\.id.description) }
        #expect(found(catalog) == found(whole) && found(whole) == ["mcp_server"])
        #expect(catalog.clientNames == whole.clientNames)
    }

    @Test func `an entry read by itself is what it is in its file`() throws {
        let whole = Self.whole
        let catalog = Self.catalog()
        for entry in catalog.entries {
            let alone = try #require(entry.sourceType), other = try #require(whole[entry.id])
            #expect(alone.displayName == other.displayName && alone.registration == other.registration)
            #expect(alone.oauth?.scopes == other.oauth?.scopes)
            #expect(alone.oauth?.addresses.own.token?.text == other.oauth?.addresses.own.token?.text)
        }
    }

    @Test func `nothing is read before it is asked for`() throws {
        let catalog = Self.catalog()
        #expect(catalog.entries.filter { $0.isRead }.isEmpty)
        let drive = try #require(SourceType.ID("google_drive"))
        #expect(catalog[drive]?.displayName == "Google Drive")
        #expect(catalog.entries.filter { $0.isRead }.map(\.id) == [drive])
        _ = RedirectAddresses(publicURL: "https://broker.example.com", catalog: catalog, clients: [:]).path(of: drive)
        #expect(Set(catalog.entries.filter { $0.isRead }.map(\.provider)) == ["google"])
    }

    @Test func `no name stands in two places`() {
        let names = BuiltInCatalog.files.flatMap { BuiltInIndex.places(in: $0.bytes) }.map(\.id)
        #expect(Set(names).count == names.count)
    }

    @Test func `every file is short enough to be read`() {
        for (name, text) in BuiltInCatalog.texts {
            #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } <= 420, "\(name)")
        }
    }

    @Test func `a built-in entry is given as a file of its own`() throws {
        for (index, entry) in Self.catalog().entries.enumerated() where index.isMultiple(of: 20) {
            let text = try #require(Catalog.builtInText(of: entry.id))
            let (catalog, findings) = Entry.load([text])
            #expect(findings == [])
            #expect(catalog.entries.map(\.id) == [entry.id])
        }
        #expect(Catalog.builtInText(of: try #require(SourceType.ID("no_such"))) == nil)
    }

    /// The one member that the index finds within another.
    @Test func `only an entry's own resourceParameter says that its server is found`() {
        let text = """
            sourceTypes:
              one:
                registration: >-
                  resourceParameter: is a word of the text
                oauth:
                  # resourceParameter: url
                  parameters:
                    resourceParameter: { pattern: "^a$" }
                  tokenParameters: { resourceParameter: url }
              two:
                oauth:
                  resourceParameter: url
                registration: >-
                  resourceParameter
              three:
                  resourceParameter: url

            """
        let places = BuiltInIndex.places(in: Array(text.utf8))
        #expect(places.filter(\.isFound).map(\.id.description) == ["two"])
    }

    /// It decides which redirect addresses the client metadata document has.
    @Test func `an operator's entry is found or not as it says, whatever stood in its place`() throws {
        let found = "oauth: { resourceParameter: url, parameters: { url: { pattern: \"^https://[!-~]+$\" } } }"
        let named = "oauth: { authorizationURL: https://a.example/a, tokenURL: https://a.example/t }"
        let text = """
            sourceTypes:
              mcp_server: { displayName: One, category: mcp, \(named) }
              google_drive: { displayName: Two, category: drive, \(found) }

            """
        let findings = Findings()
        let catalog = Catalog(files: [("own.yaml", text)], allowInsecure: false, findings: findings)
        #expect(findings.lines == [])
        #expect(catalog.entries.filter(\.isFound).map(\.id.description) == ["google_drive"])
    }

    @Test func `lines that are no entries are none`() {
        let text = """
            # a remark
            sourceTypes:
              # of the first
              one:   # of its own
                displayName: One
                provider: two_three   # shared
                registration: >-
                  four: five
                oauth:
                  provider: six
              Seven:
                oauth: {}
              eight: { displayName: Eight }

            """
        let places = BuiltInIndex.places(in: Array(text.utf8))
        #expect(places.map(\.id.description) == ["one", "eight"])
        #expect(places.first?.provider == "two_three" && places.first?.hasOAuth == true)
    }
}
