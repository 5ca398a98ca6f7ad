import Assets
import Formats
import Testing
import Transport

@testable import AssetReaders

@Suite struct StandardSourcesTests {
    private let sources = TestSources().sources()

    @Test func `the source types are the contract's, by name`() {
        #expect(
            sources.sourceTypes.map(\.name) == [
                "file", "github", "google_drive", "notion", "rss", "sitemap", "website",
            ])
        #expect(
            sources.sourceTypes.map(\.authorization) == [.none, .optional, .required, .required, .none, .none, .none])
    }

    @Test(arguments: [
        ("file", []), ("github", ["repository*", "ref", "path"]), ("google_drive", ["folderId", "recursive"]),
        ("notion", []), ("rss", ["url*"]), ("sitemap", ["url*", "maxPages"]),
        ("website", ["url*", "maxPages", "maxDepth"]),
    ])
    func `their properties are the contract's`(_ name: String, _ expected: [String]) {
        let type = sources.sourceTypes.first { $0.name == name }
        #expect(type?.properties.map { $0.name + ($0.isRequired ? "*" : "") } == expected)
    }

    @Test func `defaults are the contract's`() {
        let properties = sources.sourceTypes.flatMap { type in type.properties.map { (type.name + "." + $0.name, $0) } }
        let defaults = properties.compactMap { name, property in property.defaultValue.map { (name, $0) } }
        #expect(
            Dictionary(uniqueKeysWithValues: defaults) == [
                "google_drive.recursive": .boolean(true), "sitemap.maxPages": .integer(1000),
                "website.maxPages": .integer(100), "website.maxDepth": .integer(5),
            ])
    }

    @Test(
        arguments: [
            ("nonsense", [:]), ("website", [:]), ("website", ["url": .string("no address")]), ("github", [:]),
            ("file", [:]),
        ] as [(String, [String: ParameterValue])])
    func `a source that nothing reads has no reader`(_ type: String, _ parameters: [String: ParameterValue]) throws {
        let ingestion = try #require(TestSources.ingestion(type, parameters))
        #expect(sources.reader(for: ingestion, tokens: nil) == nil)
    }

    @Test func `an API is called at the configured address alone`() async throws {
        let transport = ScriptedTransport()
        let address = try #require(StrictURL("https://ghe.example/api/v3"))
        let configuration = StandardSources.Configuration(
            supportedTypes: TestSources.supportedTypes, uploads: "", addresses: ["github": address],
            retry: RetryPolicy(attempts: 1))
        let sources = StandardSources(configuration, web: transport, api: transport, waiting: TestSources().waiting)
        let ingestion = try #require(TestSources.ingestion("github", ["repository": .string("o/r")]))
        let reader = try #require(sources.reader(for: ingestion, tokens: nil))
        _ = await fault { () async throws(SourceFault) in try await reader.list(after: nil) }
        #expect(transport.urls == ["https://ghe.example/api/v3/repos/o/r"])
    }

    @Test func `what tenants choose goes by the web's transport, the rest by the APIs'`() async throws {
        let (web, api) = (ScriptedTransport(), ScriptedTransport())
        let configuration = StandardSources.Configuration(supportedTypes: TestSources.supportedTypes, uploads: "")
        let sources = StandardSources(configuration, web: web, api: api, waiting: TestSources().waiting)
        for (type, parameters) in [
            ("website", ["url": ParameterValue.string("https://a.example/")]), ("notion", [:]),
            ("rss", ["url": .string("https://a.example/")]), ("google_drive", [:]),
        ] as [(String, [String: ParameterValue])] {
            let ingestion = try #require(TestSources.ingestion(type, parameters))
            let reader = try #require(sources.reader(for: ingestion, tokens: TestTokens("one")))
            _ = try? await Reading(of: reader)
        }
        #expect(Set(web.requests.map { StrictURL($0.url)?.host }) == ["a.example"])
        #expect(Set(api.requests.map { StrictURL($0.url)?.host }) == ["api.notion.com", "www.googleapis.com"])
        #expect(web.requests.allSatisfy { !$0.headers.contains { $0.name == "authorization" } })
    }

    @Test func `an answer may be as long as a document in base64, and never too short for a listing`() {
        let types = TestSources.supportedTypes
        #expect(
            StandardSources.Configuration(supportedTypes: types, uploads: "", maxDocumentBytes: 100 << 20).longestAnswer
                == 151 << 20)
        #expect(
            StandardSources.Configuration(supportedTypes: types, uploads: "", maxDocumentBytes: 10).longestAnswer
                == 16 << 20)
    }
}
