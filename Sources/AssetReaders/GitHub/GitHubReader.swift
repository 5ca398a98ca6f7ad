import Assets
import Formats
import Foundation
import Secrets
import Transport

/// Reads the files of a repository on GitHub, at the newest commit of a branch or tag.
final class GitHubReader: SourceReader {
    private let api: APIClient
    /// `owner/name`
    private let repository: [String]
    private let reference: String?
    /// Without slashes around it; `nil`: everything.
    private let path: String?
    private let types: SupportedTypes
    /// In bytes.
    private let longest: Int

    /// Headers that GitHub's documentation asks for (https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api).
    static let headers = [
        (name: "accept", value: "application/vnd.github+json"), (name: "x-github-api-version", value: "2022-11-28"),
    ]

    init(
        _ api: APIClient, repository: String, reference: String?, path: String?, types: SupportedTypes, longest: Int
    ) {
        self.api = api
        self.repository = repository.split(separator: "/").map(String.init)
        self.reference = reference
        let parts = (path ?? "").utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        self.path = parts.isEmpty ? nil : parts.joined(separator: "/")
        self.types = types
        self.longest = longest
    }

    var listsChosenItems: Bool { true }

    /// The whole tree, which GitHub gives in one answer of at most 100,000 entries or 7 MB.
    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage {
        let reference =
            if let reference { reference } else { try await defaultBranch() }
        let response = try await api.get(
            ["repos"] + repository + ["git", "trees", reference], query: [(name: "recursive", value: "1")])
        // A repository without commits has no tree: GitHub calls that a conflict, as it may call others.
        if response.status == 409, HeaderValue.mentions("is empty", api.message(of: response)) {
            return ListingPage(items: [])
        }
        let tree = try await api.object(response)
        guard case .array(let entries)? = tree["tree"] else { throw .unreadable("a tree of files", from: api.name) }
        return ListingPage(
            items: entries.compactMap { item($0, at: reference) },
            isIncomplete: tree["truncated"]?.bool == true || !entries.allSatisfy(Self.isEntry))
    }

    /// Tells whether it is an entry of a tree. Anything else may stand for a file that was listed before.
    private static func isEntry(_ value: JSONValue) -> Bool {
        guard case .object(let entry) = value else { return false }
        return ["path", "type", "sha"].allSatisfy { entry[$0]?.string != nil }
    }

    private func defaultBranch() async throws(SourceFault) -> String {
        let members = try await api.object(try await api.get(["repos"] + repository))
        guard let branch = members["default_branch"]?.string, !branch.isEmpty else {
            throw .unreadable("a repository", from: api.name)
        }
        return branch
    }

    /// An entry as an item; `nil` where it is none that is read.
    private func item(_ entry: JSONValue, at reference: String) -> SourceItem? {
        guard case .object(let entry) = entry, entry["type"]?.string == "blob",
            // A symbolic link's blob is the path that it leads to.
            entry["mode"]?.string != "120000", let path = entry["path"]?.string, let sha = entry["sha"]?.string,
            (1...2048).contains(path.utf8.count), (1...128).contains(sha.utf8.count), isWanted(path)
        else { return nil }
        let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? path
        guard let type = types.contentType(fileName: name) else { return nil }
        return SourceItem(
            key: path, fileName: FileName.cleaned(name) ?? sha, contentType: type, sourceURL: page(of: path, reference),
            size: entry["size"]?.number.flatMap { Int(exactly: $0) }, version: ItemVersion(sha))
    }

    /// The path itself, or what is under it.
    private func isWanted(_ other: String) -> Bool {
        guard let path else { return true }
        return other.isExactly(path) || other.utf8.starts(with: (path + "/").utf8)
    }

    private func page(of path: String, _ reference: String) -> String {
        let parts = repository + ["blob"] + (reference + "/" + path).split(separator: "/").map(String.init)
        return "https://github.com/" + parts.map { Percent.encode($0) }.joined(separator: "/")
    }

    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading {
        if let size = item.size, size > longest { throw .tooLarge }
        guard let current = item.version else { throw .rejected("\(api.name) named no version of the file") }
        let blob = try await api.object(try await api.get(["repos"] + repository + ["git", "blobs", current.text]))
        guard let text = blob["content"]?.string, let bytes = Self.bytes(text, blob["encoding"]?.string) else {
            throw .unreadable("a file's bytes", from: api.name)
        }
        guard bytes.count <= longest else { throw .tooLarge }
        return ItemReading(.content(SourceContent(bytes: bytes, contentType: item.contentType), current))
    }

    private static func bytes(_ text: String, _ encoding: String?) -> [UInt8]? {
        guard encoding == "base64" else { return encoding == "utf-8" ? Array(text.utf8) : nil }
        // There is a line end behind each 60 letters.
        return Data(base64Encoded: text, options: .ignoreUnknownCharacters).map { Array($0) }
    }
}
