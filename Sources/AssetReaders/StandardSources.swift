public import Assets
public import Formats
public import Transport

/// The source types of this program, and their readers.
public struct StandardSources: SourceReaders {
    /// Settings of the readers, which the operator chooses.
    public struct Configuration: Sendable {
        /// The address of each source type's API, to which alone its credentials go.
        public var addresses: [String: StrictURL]
        /// In bytes; larger documents fail.
        public var maxDocumentBytes: Int
        public var retry: RetryPolicy
        /// The types that can be read on this machine.
        public var supportedTypes: [SupportedType]
        /// The folder of the uploads' files.
        public var uploads: String
        /// Requests at once to one host of the web.
        public var requestsPerHost: Int

        /// - Parameter addresses: take the place of the standard ones.
        public init(
            supportedTypes: [SupportedType], uploads: String, addresses: [String: StrictURL] = [:],
            maxDocumentBytes: Int = 52_428_800, retry: RetryPolicy = RetryPolicy(), requestsPerHost: Int = 4
        ) {
            self.addresses = Self.standardAddresses.merging(addresses) { $1 }
            self.maxDocumentBytes = maxDocumentBytes
            self.retry = retry
            self.supportedTypes = supportedTypes
            self.uploads = uploads
            self.requestsPerHost = requestsPerHost
        }

        private static let standardAddresses = [
            "google_drive": "https://www.googleapis.com", "github": "https://api.github.com",
            "notion": "https://api.notion.com",
        ].compactMapValues { StrictURL($0) }

        /// The longest answer that a transport has to let through: a document as GitHub sends it, in base64 within
        /// JSON, and listings, however small documents have to be.
        public var longestAnswer: Int { max(16 << 20, maxDocumentBytes / 2 * 3 + (1 << 20)) }
    }

    private let configuration: Configuration
    private let types: SupportedTypes
    private let web: SourceClient
    private let api: SourceClient

    /// - Parameters:
    ///   - web: sends what tenants choose the address of. Checks where addresses lead.
    ///   - api: sends to the configured addresses of APIs.
    public init(
        _ configuration: Configuration, web: any HTTPTransport, api: any HTTPTransport, waiting: Waiting = .system
    ) {
        self.configuration = configuration
        types = SupportedTypes(configuration.supportedTypes)
        // One gate for all tenants: the host does not know them apart.
        self.web = SourceClient(
            transport: web, retry: configuration.retry, waiting: waiting,
            gate: HostGate(most: configuration.requestsPerHost))
        self.api = SourceClient(transport: api, retry: configuration.retry, waiting: waiting, gate: nil)
    }

    public var sourceTypes: [SourceType] { SourceType.standard }

    public func reader(for ingestion: Ingestion, tokens: (any AccessTokenSource)?) -> (any SourceReader)? {
        let source = ingestion.asset.source
        guard let type = SourceType.standard.first(where: { $0.name == source.type }) else { return nil }
        let values = SourceValues(type, source.parameters)
        return switch source.type {
        case "file": ingestion.upload.map { upload($0) }
        case "website": website(values, ingestion.linked)
        case "sitemap": sitemap(values)
        case "rss": feed(values)
        case "google_drive": drive(values, tokens)
        case "github": gitHub(values, tokens)
        case "notion": notion(tokens)
        default: nil
        }
    }

    private var longest: Int { configuration.maxDocumentBytes }

    private var pages: PageReader { PageReader(web: WebClient(web), types: types, longest: longest) }

    private func upload(_ upload: Upload) -> UploadReader {
        UploadReader(upload: upload, folder: configuration.uploads, longest: longest)
    }

    private func website(_ values: SourceValues, _ found: [LinkedItem]) -> WebsiteReader? {
        guard let first = values.address("url"), let mostPages = values.integer("maxPages"),
            let deepest = values.integer("maxDepth")
        else { return nil }
        return WebsiteReader(first, mostPages: mostPages, deepest: deepest, found: found, pages: pages)
    }

    private func sitemap(_ values: SourceValues) -> SitemapReader? {
        guard let first = values.address("url"), let mostPages = values.integer("maxPages") else { return nil }
        return SitemapReader(first, mostPages: mostPages, pages: pages)
    }

    private func feed(_ values: SourceValues) -> FeedReader? {
        values.address("url").map { FeedReader($0, web: WebClient(web), longest: longest) }
    }

    private func drive(_ values: SourceValues, _ tokens: (any AccessTokenSource)?) -> DriveReader? {
        client("google_drive", tokens, named: "Google Drive").map { api in
            DriveReader(
                api, folder: values.string("folderId"), isRecursive: values.boolean("recursive") ?? true, types: types,
                longest: longest)
        }
    }

    private func gitHub(_ values: SourceValues, _ tokens: (any AccessTokenSource)?) -> GitHubReader? {
        guard let api = client("github", tokens, named: "GitHub", headers: GitHubReader.headers),
            let repository = values.string("repository")
        else { return nil }
        return GitHubReader(
            api, repository: repository, reference: values.string("ref"), path: values.string("path"), types: types,
            longest: longest)
    }

    private func notion(_ tokens: (any AccessTokenSource)?) -> NotionReader? {
        client("notion", tokens, named: "Notion", headers: NotionReader.headers).map {
            NotionReader($0, longest: longest)
        }
    }

    private func client(
        _ type: String, _ tokens: (any AccessTokenSource)?, named name: String,
        headers: [(name: String, value: String)] = []
    ) -> APIClient? {
        configuration.addresses[type].map { address in
            APIClient(
                client: api, address: address, tokens: tokens, name: name,
                headers: [("user-agent", RobotsRules.productToken)] + headers)
        }
    }
}

/// The parameters of a source, with the defaults of its type.
private struct SourceValues {
    private let values: [String: ParameterValue]

    init(_ type: SourceType, _ given: [String: ParameterValue]) {
        let defaults = type.properties.compactMap { property in property.defaultValue.map { (property.name, $0) } }
        values = Dictionary(defaults) { first, _ in first }.merging(given) { $1 }
    }

    func string(_ name: String) -> String? { if case .string(let text)? = values[name] { text } else { nil } }
    func boolean(_ name: String) -> Bool? { if case .boolean(let flag)? = values[name] { flag } else { nil } }
    func integer(_ name: String) -> Int? { if case .integer(let number)? = values[name] { number } else { nil } }
    func address(_ name: String) -> WebAddress? { string(name).flatMap { WebAddress($0) } }
}
