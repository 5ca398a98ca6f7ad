import Assets
import Formats
import Secrets
import Transport

/// Reads a folder of Google Drive, or the whole drive: its files of types that are read, and Google's own documents as
/// text.
final class DriveReader: SourceReader {
    private struct State: Sendable {
        /// Those to list, in the order in which they were found; `nil` for the whole drive.
        var folders: [String?] = []
        var knownFolders: Set<String> = []
        /// The place of the one that is being listed.
        var place = 0
    }

    /// Stands in the note of an item that has to be exported.
    static let exportNote = "export"

    private static let mostFolders = 20_000

    private let api: APIClient
    private let folder: String?
    private let isRecursive: Bool
    private let types: SupportedTypes
    /// In bytes.
    private let longest: Int
    private let state = Locked(State())

    init(_ api: APIClient, folder: String?, isRecursive: Bool, types: SupportedTypes, longest: Int) {
        self.api = api
        self.folder = folder
        self.isRecursive = isRecursive
        self.types = types
        self.longest = longest
    }

    var listsChosenItems: Bool { true }

    // MARK: listing

    /// One page of one folder.
    ///
    /// - Parameter cursor: the source's page token; empty at a folder's beginning.
    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage {
        if cursor == nil || state.withLock({ $0.folders.isEmpty }) { begin() }
        let (folder, isFirst) = state.withLock { ($0.folders[$0.place], $0.place == 0) }
        do throws(SourceFault) {
            return try take(try await page(of: folder, token: cursor?.text ?? ""), token: cursor?.text ?? "")
        } catch .rejected(let why) {
            // A folder that vanished meanwhile, or is not for us, is no reason to lose the others.
            if isFirst { throw .rejected(why) }
            return ListingPage(items: [], next: nextFolder(), isIncomplete: true)
        }
    }

    private func begin() {
        // Without folder and without depth, the drive is its uppermost folder.
        let first = folder ?? (isRecursive ? nil : "root")
        state.withLock { $0 = State(folders: [first], knownFolders: Set([first].compactMap { $0 })) }
    }

    private func page(of folder: String?, token: String) async throws(SourceFault) -> [String: JSONValue] {
        var query = [
            (name: "q", value: Self.query(folder)), (name: "pageSize", value: "1000"),
            (name: "fields", value: "nextPageToken,incompleteSearch,files(\(DriveFile.fields))"),
            (name: "supportsAllDrives", value: "true"), (name: "includeItemsFromAllDrives", value: "true"),
        ]
        if !token.isEmpty { query.append(("pageToken", token)) }
        return try await api.object(try await api.get(Self.files, query: query))
    }

    private static let files = ["drive", "v3", "files"]

    /// https://developers.google.com/workspace/drive/api/guides/search-files has `\` before quotation marks.
    private static func query(_ folder: String?) -> String {
        guard let folder else { return "trashed = false" }
        let escaped = folder.utf8.flatMap { "'\\".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
        return "'\(String(decoding: escaped, as: UTF8.self))' in parents and trashed = false"
    }

    private func take(_ page: [String: JSONValue], token: String) throws(SourceFault) -> ListingPage {
        // An empty folder has an empty list. An answer without one says nothing of what is there.
        guard case .array(let values)? = page["files"] else { throw .unreadable("a list of files", from: api.name) }
        let files = values.compactMap { DriveFile($0) }
        let (next, isBroken) = Self.next(page["nextPageToken"], after: token)
        let isCut = addFolders(files) || isBroken || files.count < values.count
        return ListingPage(
            items: files.compactMap { $0.item(types) }, next: next ?? nextFolder(),
            isIncomplete: isCut || page["incompleteSearch"]?.bool == true)
    }

    /// The cursor of the folder's next page. A token that leads to its own page, or is none, leads nowhere.
    private static func next(_ value: JSONValue?, after token: String) -> (ListingCursor?, isBroken: Bool) {
        switch value {
        case nil, .null, .string(""): (nil, false)
        case .string(let next) where next != token: (ListingCursor(next), false)
        default: (nil, true)
        }
    }

    private func nextFolder() -> ListingCursor? {
        state.withLock { state in
            guard state.place + 1 < state.folders.count else { return nil }
            state.place += 1
            return ListingCursor("")
        }
    }

    /// Queues folders that are new, so that a loop of folders ends, and tells whether some were left out.
    private func addFolders(_ files: [DriveFile]) -> Bool {
        state.withLock { state in
            // The listing of the whole drive has what is in its folders already.
            guard isRecursive, state.folders.first != .some(nil) else { return false }
            for file in files where file.isFolder && !state.knownFolders.contains(file.id) {
                guard state.folders.count < Self.mostFolders else { return true }
                state.knownFolders.insert(file.id)
                state.folders.append(file.id)
            }
            return false
        }
    }

    // MARK: reading

    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading {
        if let size = item.size, size > longest { throw .tooLarge }
        let type = item.contentType ?? "text/plain"
        let isExport = item.note == Self.exportNote
        var (response, given) = (try await bytes(of: item.key, as: isExport ? type : nil), type)
        if isExport, given == "text/markdown", (400..<500).contains(response.status), response.status != 404,
            !response.asksToTryAgain, !response.driveReasons.contains(Self.tooLarge)
        {
            // Where a document cannot be had as Markdown, its plain text is better than nothing.
            given = "text/plain"
            response = try await bytes(of: item.key, as: given)
        }
        if response.status == 404 { return ItemReading(.absent) }
        guard response.isSuccess else { throw fault(of: response) }
        guard response.body.count <= longest else { throw .tooLarge }
        let header = ContentType(response.header("content-type"))
        let content = SourceContent(bytes: response.body, contentType: given, charset: header.charset)
        return ItemReading(.content(content, item.version ?? ItemVersion("sha256 " + Digest(of: response.body).hex)))
    }

    /// Exports end at 10 MB, whatever our own limit is.
    private static let tooLarge = "exportSizeLimitExceeded"

    /// - Parameter type: of the export; `nil`: the file itself.
    private func bytes(of id: String, as type: String?) async throws(SourceFault) -> TransportResponse {
        guard let type else {
            return try await api.get(
                Self.files + [id], query: [(name: "alt", value: "media"), (name: "supportsAllDrives", value: "true")])
        }
        return try await api.get(Self.files + [id, "export"], query: [(name: "mimeType", value: type)])
    }

    private func fault(of response: TransportResponse) -> SourceFault {
        response.driveReasons.contains(Self.tooLarge) ? .tooLarge : api.fault(of: response)
    }
}
