import Assets
import Formats
import Testing
import Transport

@testable import AssetReaders

@Suite struct GitHubReaderTests {
    private static let api = "https://api.github.com/repos/o/r"
    private let sources = TestSources()
    private var transport: ScriptedTransport { sources.transport }

    private static func tree(_ reference: String) -> String { "\(api)/git/trees/\(reference)?recursive=1" }

    private static func blob(_ path: String, _ sha: String = "sha", more: String = "") -> String {
        #"{"path": "\#(path)", "mode": "100644", "type": "blob", "sha": "\#(sha)"\#(more)}"#
    }

    private static func answer(_ entries: String..., more: String = "") -> ScriptedTransport.Answer {
        .json(#"{"sha": "x", "tree": [\#(entries.joined(separator: ", "))]\#(more)}"#)
    }

    private func reader(
        _ parameters: [String: ParameterValue] = ["ref": .string("main")], tokens: (any AccessTokenSource)? = nil,
        maxDocumentBytes: Int = 1 << 20
    ) throws -> any SourceReader {
        try sources.reader(
            "github", ["repository": .string("o/r")].merging(parameters) { $1 }, tokens: tokens,
            maxDocumentBytes: maxDocumentBytes)
    }

    private func list(_ parameters: [String: ParameterValue] = ["ref": .string("main")]) async throws -> ListingPage {
        try await reader(parameters).list(after: nil)
    }

    // MARK: listing

    @Test func `without a reference the default branch is read`() async throws {
        transport.answer(Self.api, .json(#"{"default_branch": "trunk"}"#))
        transport.answer(Self.tree("trunk"), Self.answer(Self.blob("README.md")))
        let item = try #require(try await list([:]).items.first)
        #expect(item.key == "README.md" && item.version == ItemVersion("sha"))
        #expect(item.sourceURL == "https://github.com/o/r/blob/trunk/README.md")
    }

    @Test func `GitHub's headers are sent, and a token where there is one`() async throws {
        transport.answer(Self.tree("main"), Self.answer())
        _ = try await list()
        _ = try await reader(tokens: TestTokens("one")).list(after: nil)
        #expect(transport.headers("authorization", to: Self.tree("main")) == [nil, "Bearer one"])
        #expect(transport.headers("accept", to: Self.tree("main"))[0] == "application/vnd.github+json")
        #expect(transport.headers("x-github-api-version", to: Self.tree("main"))[0] == "2022-11-28")
        #expect(transport.headers("user-agent", to: Self.tree("main"))[0] == "CloakroomAssets")
    }

    @Test func `a reference with slashes is one part of the API's address, and several of the page's`() async throws {
        transport.answer(Self.tree("feature%2Fa%23b"), Self.answer(Self.blob("docs/a b.md")))
        let item = try #require(try await list(["ref": .string("feature/a#b")]).items.first)
        #expect(item.sourceURL == "https://github.com/o/r/blob/feature/a%23b/docs/a%20b.md")
        #expect(item.fileName == "a b.md")
    }

    @Test func `blobs of extensions that are read are taken`() async throws {
        transport.answer(
            Self.tree("main"),
            Self.answer(
                Self.blob("a.md", "1", more: #", "size": 5"#), Self.blob("b.TXT", "2"), Self.blob("c.png"),
                Self.blob("Makefile"), #"{"path": "docs.md", "type": "tree", "sha": "3", "mode": "040000"}"#,
                #"{"path": "sub.md", "type": "commit", "sha": "4", "mode": "160000"}"#,
                #"{"path": "link.md", "type": "blob", "sha": "5", "mode": "120000"}"#))
        let page = try await list()
        let items = page.items
        #expect(!page.isIncomplete)
        #expect(items.map(\.key) == ["a.md", "b.TXT"])
        #expect(items.map(\.contentType) == ["text/markdown", "text/plain"])
        #expect(items[0].size == 5)
    }

    @Test(arguments: [
        ("docs", ["docs/a.md", "docs/b/c.md"]), ("/docs/", ["docs/a.md", "docs/b/c.md"]), ("docs/b", ["docs/b/c.md"]),
        ("docs/a.md", ["docs/a.md"]), ("doc", []), ("/", ["docs/a.md", "docs/b/c.md", "docs2/d.md"]),
    ])
    func `a path is a folder or a file`(_ path: String, _ expected: [String]) async throws {
        transport.answer(
            Self.tree("main"),
            Self.answer(Self.blob("docs/a.md"), Self.blob("docs/b/c.md"), Self.blob("docs2/d.md")))
        #expect(try await list(["ref": .string("main"), "path": .string(path)]).items.map(\.key) == expected)
    }

    @Test func `a tree that GitHub cut is not whole`() async throws {
        transport.answer(Self.tree("main"), Self.answer(Self.blob("a.md"), more: #", "truncated": true"#))
        #expect(try await list().isIncomplete)
        transport.answer(Self.tree("main"), Self.answer(Self.blob("a.md"), more: #", "truncated": false"#))
        #expect(try await !list().isIncomplete)
    }

    @Test(arguments: ["null", "{}", #"{"path": "a.md", "type": "blob"}"#, #"{"path": 1, "type": "blob", "sha": "1"}"#])
    func `a tree with an entry that cannot be told is not whole`(_ entry: String) async throws {
        transport.answer(Self.tree("main"), Self.answer(entry, Self.blob("b.md")))
        let page = try await list()
        #expect(page.items.map(\.key) == ["b.md"])
        #expect(page.isIncomplete)
    }

    @Test(arguments: ["", #"{"message": "Conflict"}"#])
    func `a conflict of another kind fails the source`(_ body: String) async throws {
        transport.answer(Self.tree("main"), .status(409, [], body))
        let reader = try reader()
        guard case .rejected? = await fault(of: { () async throws(SourceFault) in try await reader.list(after: nil) })
        else {
            Issue.record("the repository was taken for empty")
            return
        }
    }

    @Test func `a repository without commits has no files`() async throws {
        transport.answer(Self.tree("main"), .status(409, [], #"{"message": "Git Repository is empty."}"#))
        let page = try await list()
        #expect(page.items.isEmpty && !page.isIncomplete)
    }

    @Test func `a repository that was renamed is followed`() async throws {
        transport.answer(Self.api, .redirect("https://api.github.com/repositories/1", 301))
        transport.answer("https://api.github.com/repositories/1", .json(#"{"default_branch": "main"}"#))
        transport.answer(Self.tree("main"), Self.answer())
        #expect(try await list([:]).items.isEmpty)
    }

    @Test(arguments: [
        (404, #"{"message": "Not Found"}"#, #"GitHub answered 404 "Not Found""#),
        (200, "{}", "GitHub answered with something that is not a tree of files"),
        (200, #"{"tree": {}}"#, "GitHub answered with something that is not a tree of files"),
        (403, #"{"message": "Resource protected"}"#, #"GitHub answered 403 "Resource protected""#),
    ])
    func `a tree that cannot be had fails the source`(_ status: Int, _ body: String, _ message: String) async throws {
        transport.answer(Self.tree("main"), .status(status, [], body))
        let reader = try reader()
        #expect(
            await fault { () async throws(SourceFault) in try await reader.list(after: nil) } == .rejected(message))
    }

    @Test(arguments: ["{}", #"{"default_branch": ""}"#, #"{"default_branch": 1}"#])
    func `a repository without a branch fails the source`(_ body: String) async throws {
        transport.answer(Self.api, .json(body))
        let reader = try reader([:])
        #expect(
            await fault { () async throws(SourceFault) in try await reader.list(after: nil) }
                == .rejected("GitHub answered with something that is not a repository"))
    }

    @Test func `a branch that would lead to another address is refused`() async throws {
        transport.answer(Self.api, .json(#"{"default_branch": ".."}"#))
        let reader = try reader([:])
        #expect(
            await fault { () async throws(SourceFault) in try await reader.list(after: nil) }
                == .rejected("GitHub named something by an id that is none"))
    }

    @Test func `a hundred thousand files are read`() async throws {
        let entry = Self.blob("docs/some/path/file.md", String(repeating: "a", count: 40), more: #", "size": 1"#)
        let entries = Array(repeating: entry, count: 20_000).joined(separator: ",")
        transport.answer(Self.tree("main"), .json("{\"tree\": [\(entries)]}"))
        #expect(try await list().items.count == 20_000)
    }

    // MARK: reading

    private func read(_ blob: String, size: Int? = nil, maxDocumentBytes: Int = 1 << 20) async throws -> SourceContent?
    {
        transport.answer(Self.api + "/git/blobs/sha", .json(blob))
        let item = SourceItem(
            key: "a.md", fileName: "a.md", contentType: "text/markdown", size: size, version: ItemVersion("sha"))
        let outcome = try await reader(maxDocumentBytes: maxDocumentBytes).read(item, since: nil).outcome
        guard case .content(let content, ItemVersion("sha")) = outcome else { return nil }
        return content
    }

    @Test func `a blob's base64 may have line ends`() async throws {
        let content = try await read(#"{"content": "SGVs\nbG8=\n", "encoding": "base64", "size": 5}"#)
        #expect(content == SourceContent(bytes: Array("Hello".utf8), contentType: "text/markdown"))
        #expect(try await read(#"{"content": "Hi", "encoding": "utf-8"}"#)?.bytes == Array("Hi".utf8))
        #expect(try await read(#"{"content": "", "encoding": "base64"}"#)?.bytes == [])
    }

    @Test(arguments: [
        "{}", #"{"content": "SGVs"}"#, #"{"content": "SGVs", "encoding": "none"}"#,
        #"{"content": 1, "encoding": "base64"}"#,
        #"{"content": "SGV", "encoding": "base64"}"#,
    ])
    func `what is no blob fails the document`(_ blob: String) async throws {
        await #expect(throws: SourceFault.rejected("GitHub answered with something that is not a file's bytes")) {
            try await read(blob)
        }
    }

    @Test func `a blob that is too large is not asked for, or not taken`() async throws {
        await #expect(throws: SourceFault.tooLarge) { try await read("{}", size: 5, maxDocumentBytes: 4) }
        #expect(transport.requests.isEmpty)
        await #expect(throws: SourceFault.tooLarge) {
            try await read(#"{"content": "SGVsbG8=", "encoding": "base64"}"#, maxDocumentBytes: 4)
        }
    }
}
