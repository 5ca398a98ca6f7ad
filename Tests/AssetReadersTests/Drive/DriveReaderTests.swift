import Assets
import Formats
import Secrets
import Testing
import Transport

@testable import AssetReaders

@Suite struct DriveReaderTests {
    private static let api = "https://www.googleapis.com/drive/v3/files"
    private let sources = TestSources()
    private var transport: ScriptedTransport { sources.transport }

    private static func listing(_ query: String, token: String? = nil) -> String {
        let fields =
            "nextPageToken%2CincompleteSearch%2Cfiles%28"
            + "id%2Cname%2CmimeType%2Cmd5Checksum%2CmodifiedTime%2Csize%2CwebViewLink%29"
        return "\(api)?q=\(Percent.encode(query))&pageSize=1000&fields=\(fields)&supportsAllDrives=true"
            + "&includeItemsFromAllDrives=true" + (token.map { "&pageToken=\($0)" } ?? "")
    }

    private static func within(_ folder: String) -> String { "'\(folder)' in parents and trashed = false" }

    private static func file(_ id: String, _ type: String = "text/plain", name: String? = nil, more: String = "")
        -> String
    {
        #"{"id": "\#(id)", "name": "\#(name ?? id)", "mimeType": "\#(type)"\#(more)}"#
    }

    private static func folder(_ id: String) -> String { file(id, "application/vnd.google-apps.folder") }

    private static func page(_ files: String..., more: String = "") -> ScriptedTransport.Answer {
        .json(#"{"files": [\#(files.joined(separator: ", "))]\#(more)}"#)
    }

    private func reader(
        _ parameters: [String: ParameterValue] = [:], maxDocumentBytes: Int = 1 << 20
    ) throws -> any SourceReader {
        try sources.reader("google_drive", parameters, tokens: TestTokens("one"), maxDocumentBytes: maxDocumentBytes)
    }

    private func keys(_ parameters: [String: ParameterValue] = [:]) async throws -> [String] {
        try await Reading(of: try reader(parameters)).listed.map(\.key)
    }

    // MARK: listing

    @Test func `without a folder the whole drive is listed, to its last page`() async throws {
        transport.answer(Self.listing("trashed = false"), Self.page(Self.file("a"), more: #", "nextPageToken": "t""#))
        transport.answer(Self.listing("trashed = false", token: "t"), Self.page(Self.file("b"), Self.folder("f")))
        let reading = try await Reading(of: try reader())
        #expect(reading.listed.map(\.key) == ["a", "b"])
        #expect(reading.isComplete && !reading.keepsVanished)
        #expect(transport.headers("authorization", to: Self.listing("trashed = false")) == ["Bearer one"])
    }

    @Test func `a folder is listed with the folders in it`() async throws {
        transport.answer(
            Self.listing(Self.within("top")), Self.page(Self.folder("f1"), Self.file("a"), Self.folder("f2")))
        transport.answer(
            Self.listing(Self.within("f1")), Self.page(Self.file("b"), more: #", "nextPageToken": "t""#))
        transport.answer(Self.listing(Self.within("f1"), token: "t"), Self.page(Self.file("c"), Self.folder("f3")))
        transport.answer(Self.listing(Self.within("f2")), Self.page())
        transport.answer(Self.listing(Self.within("f3")), Self.page(Self.file("d")))
        #expect(try await keys(["folderId": .string("top")]) == ["a", "b", "c", "d"])
    }

    @Test func `without depth the folder alone is listed, or the uppermost one`() async throws {
        for top in ["top", "root"] {
            transport.answer(Self.listing(Self.within(top)), Self.page(Self.folder("f1"), Self.file("a")))
        }
        #expect(try await keys(["folderId": .string("top"), "recursive": .boolean(false)]) == ["a"])
        #expect(try await keys(["recursive": .boolean(false)]) == ["a"])
    }

    @Test func `folders that hold each other end`() async throws {
        transport.answer(Self.listing(Self.within("top")), Self.page(Self.folder("top"), Self.folder("f1")))
        transport.answer(
            Self.listing(Self.within("f1")), Self.page(Self.folder("top"), Self.folder("f1"), Self.file("a")))
        #expect(try await keys(["folderId": .string("top")]) == ["a"])
        #expect(transport.requests.count == 3)  // with the file itself
    }

    @Test func `a folder's id is no part of the query's language`() async throws {
        transport.answer(Self.listing(#"'a\' or name contains \'b\\' in parents and trashed = false"#), Self.page())
        #expect(try await keys(["folderId": .string(#"a' or name contains 'b\"#)]).isEmpty)
    }

    @Test func `files of types that are read are taken, Google's own with the type of their export`() async throws {
        let google = "application/vnd.google-apps."
        transport.answer(
            Self.listing("trashed = false"),
            Self.page(
                Self.file("1", google + "document"), Self.file("2", google + "spreadsheet"),
                Self.file("3", google + "presentation"), Self.file("4", google + "shortcut", name: "a.md"),
                Self.file("5", google + "form"), Self.file("6", "application/pdf"), Self.file("7", "image/png"),
                Self.file("8", "application/octet-stream", name: "notes.MD"),
                Self.file("9", "text/plain", name: "table.csv"), Self.file("10", "text/x-python", name: "a.py"),
                Self.file("11", google + "drawing"), #"{"name": "no id"}"#, "7", "null"))
        let items = try await Reading(of: try reader()).listed
        #expect(items.map(\.key) == ["1", "2", "3", "6", "8", "9"])
        #expect(
            items.map(\.contentType) == [
                "text/markdown", "text/csv", "text/plain", "application/pdf", "text/markdown", "text/csv",
            ])
    }

    @Test func `an item has its name, address, size and version`() async throws {
        let more =
            #", "md5Checksum": "abc", "modifiedTime": "2027", "size": "12", "webViewLink": "https://d.example/a""#
        transport.answer(
            Self.listing("trashed = false"),
            Self.page(
                Self.file("a", name: "A\\u001b name", more: more),
                Self.file("b", "application/vnd.google-apps.document", more: #", "modifiedTime": "2027", "size": "9""#),
                Self.file("c", name: "", more: #", "webViewLink": "javascript:x""#)))
        let items = try await Reading(of: try reader()).listed
        #expect(items[0].fileName == "A name" && items[0].size == 12)
        #expect(items[0].sourceURL == "https://d.example/a" && items[0].version == ItemVersion("md5 abc"))
        #expect(items[1].version == ItemVersion("modified 2027") && items[1].size == nil)
        #expect(items[2].fileName == "c" && items[2].version == nil && items[2].sourceURL == nil)
    }

    @Test func `a search that Google calls incomplete is`() async throws {
        transport.answer(Self.listing("trashed = false"), Self.page(more: #", "incompleteSearch": true"#))
        #expect(try await !Reading(of: try reader()).isComplete)
    }

    @Test func `a page that leads to itself ends the listing, which is not whole`() async throws {
        transport.answer(Self.listing("trashed = false"), Self.page(Self.file("a"), more: #", "nextPageToken": "t""#))
        transport.answer(
            Self.listing("trashed = false", token: "t"), Self.page(Self.file("b"), more: #", "nextPageToken": "t""#))
        let reading = try await Reading(of: try reader())
        #expect(reading.listed.map(\.key) == ["a", "b"])
        #expect(!reading.isComplete)
    }

    @Test(arguments: ["1", "true", "{}", "[]"])
    func `a page whose successor is not named ends the listing, which is not whole`(_ token: String) async throws {
        transport.answer(
            Self.listing("trashed = false"), Self.page(Self.file("a"), more: ", \"nextPageToken\": \(token)"))
        let reading = try await Reading(of: try reader())
        #expect(reading.listed.map(\.key) == ["a"])
        #expect(!reading.isComplete)
    }

    @Test(arguments: ["null", "{}", #"{"name": "a.txt", "mimeType": "text/plain"}"#, #"{"id": "a", "mimeType": 1}"#])
    func `a file that cannot be told leaves the listing incomplete`(_ file: String) async throws {
        transport.answer(Self.listing("trashed = false"), Self.page(file, Self.file("b")))
        let reading = try await Reading(of: try reader())
        #expect(reading.listed.map(\.key) == ["b"])
        #expect(!reading.isComplete)
    }

    @Test func `thousands of folders are read, each`() async throws {
        let folders = (0..<2500).map { Self.folder("f\($0)") }.joined(separator: ", ")
        let sources = TestSources(ScriptedTransport { _ in Self.page(Self.file("a")) })
        sources.transport.answer(Self.listing(Self.within("top")), .json(#"{"files": [\#(folders)]}"#))
        let reading = try await Reading(
            of: try sources.reader("google_drive", ["folderId": .string("top")], tokens: TestTokens("one")))
        #expect(reading.listed.count == 2500)
        #expect(reading.isComplete)
    }

    @Test func `a folder within that cannot be listed leaves the listing incomplete`() async throws {
        transport.answer(Self.listing(Self.within("top")), Self.page(Self.folder("f1"), Self.folder("f2")))
        transport.answer(Self.listing(Self.within("f2")), Self.page(Self.file("a")))
        let reading = try await Reading(of: try reader(["folderId": .string("top")]))
        #expect(reading.listed.map(\.key) == ["a"])
        #expect(!reading.isComplete)
    }

    @Test(arguments: [
        (404, #"{"error": {"message": "File not found: top."}}"#, #"Google Drive answered 404 "File not found: top.""#),
        (200, "[]", "Google Drive answered with something that is not a JSON object"),
        (200, "{", "Google Drive answered with something that is not a JSON object"),
        (200, "{}", "Google Drive answered with something that is not a list of files"),
        (200, #"{"files": null}"#, "Google Drive answered with something that is not a list of files"),
        (200, #"{"files": {}}"#, "Google Drive answered with something that is not a list of files"),
    ])
    func `a folder that cannot be listed fails the source`(
        _ status: Int, _ body: String, _ message: String
    ) async throws {
        transport.answer(Self.listing(Self.within("top")), .status(status, [], body))
        let reader = try reader(["folderId": .string("top")])
        #expect(
            await fault { () async throws(SourceFault) in try await reader.list(after: nil) } == .rejected(message))
    }

    @Test(arguments: [
        #"{"files": []}"#, #"{"files": [], "nextPageToken": ""}"#, #"{"files": [], "nextPageToken": null}"#,
    ])
    func `an empty list of files is a whole one`(_ body: String) async throws {
        transport.answer(Self.listing("trashed = false"), .json(body))
        let reading = try await Reading(of: try reader())
        #expect(reading.listed.isEmpty && reading.isComplete)
    }

    @Test func `an answer without a list of files leaves a folder's listing incomplete`() async throws {
        transport.answer(Self.listing(Self.within("top")), Self.page(Self.folder("f1"), Self.file("a")))
        transport.answer(Self.listing(Self.within("f1")), .json("{}"))
        let reading = try await Reading(of: try reader(["folderId": .string("top")]))
        #expect(reading.listed.map(\.key) == ["a"])
        #expect(!reading.isComplete)
    }

    // MARK: reading

    private func read(_ item: SourceItem, maxDocumentBytes: Int = 1 << 20) async throws -> ItemReading.Outcome {
        try await reader(maxDocumentBytes: maxDocumentBytes).read(item, since: nil).outcome
    }

    private static func item(_ type: String, note: String? = nil, size: Int? = nil) -> SourceItem {
        SourceItem(
            key: "id", fileName: "a", contentType: type, size: size, version: ItemVersion("md5 abc"), note: note)
    }

    @Test func `a file is read as it is`() async throws {
        transport.answer(Self.api + "/id?alt=media&supportsAllDrives=true", .body("text", "text/plain; charset=utf-16"))
        guard case .content(let content, let version) = try await read(Self.item("text/markdown")) else {
            Issue.record("there is no content")
            return
        }
        #expect(content == SourceContent(bytes: Array("text".utf8), contentType: "text/markdown", charset: "utf-16"))
        #expect(version == ItemVersion("md5 abc"))
    }

    @Test(arguments: ["text/markdown", "text/csv", "text/plain"])
    func `a document of Google's is exported`(_ type: String) async throws {
        transport.answer(Self.api + "/id/export?mimeType=\(Percent.encode(type))", .body("text", type))
        guard case .content(let content, _) = try await read(Self.item(type, note: "export")) else {
            Issue.record("there is no content")
            return
        }
        #expect(content.contentType == type)
    }

    @Test func `a document that cannot be had as Markdown is had as text`() async throws {
        transport.answer(Self.api + "/id/export?mimeType=text%2Fmarkdown", .status(400))
        transport.answer(Self.api + "/id/export?mimeType=text%2Fplain", .body("text", "text/plain"))
        guard case .content(let content, _) = try await read(Self.item("text/markdown", note: "export")) else {
            Issue.record("there is no content")
            return
        }
        #expect(content.contentType == "text/plain")
    }

    @Test func `a limit is no reason to take a document's text for its Markdown`() async throws {
        transport.answer(Self.api + "/id/export?mimeType=text%2Fmarkdown", .status(429))
        transport.answer(Self.api + "/id/export?mimeType=text%2Fplain", .body("text", "text/plain"))
        let reader = try reader()
        let item = Self.item("text/markdown", note: "export")
        #expect(
            await fault { () async throws(SourceFault) in try await reader.read(item, since: nil) }
                == .rejected("Google Drive answered 429"))
    }

    @Test func `a file that is gone is no document`() async throws {
        guard case .absent = try await read(Self.item("text/plain")) else {
            Issue.record("it is there")
            return
        }
    }

    @Test func `what is too large is not asked for, or not taken`() async throws {
        let (reader, item) = (try reader(maxDocumentBytes: 3), Self.item("text/plain", size: 4))
        #expect(await fault { () async throws(SourceFault) in try await reader.read(item, since: nil) } == .tooLarge)
        #expect(transport.requests.isEmpty)
        transport.answer(Self.api + "/id?alt=media&supportsAllDrives=true", .body("text", "text/plain"))
        #expect(
            await fault { () async throws(SourceFault) in try await reader.read(Self.item("text/plain"), since: nil) }
                == .tooLarge)
    }

    @Test func `an export that Google finds too large is`() async throws {
        transport.answer(
            Self.api + "/id/export?mimeType=text%2Fmarkdown",
            .status(403, [], #"{"error": {"errors": [{"reason": "exportSizeLimitExceeded"}]}}"#))
        let (reader, item) = (try reader(), Self.item("text/markdown", note: "export"))
        #expect(await fault { () async throws(SourceFault) in try await reader.read(item, since: nil) } == .tooLarge)
        #expect(transport.requests.count == 1)
    }

    @Test func `a file that must not be read fails`() async throws {
        transport.answer(
            Self.api + "/id?alt=media&supportsAllDrives=true",
            .status(403, [], #"{"error": {"message": "no", "errors": [{"reason": "cannotDownloadFile"}]}}"#))
        let reader = try reader()
        #expect(
            await fault { () async throws(SourceFault) in try await reader.read(Self.item("text/plain"), since: nil) }
                == .rejected(#"Google Drive answered 403 "no""#))
    }
}
