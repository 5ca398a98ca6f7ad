import Assets

extension SourceType {
    /// The source types of this program, by name. Names, titles and categories are the broker's.
    static let standard = [file, gitHub, googleDrive, notion, feed, sitemap, website]

    private static let file = SourceType(
        name: "file", displayName: "File upload", category: "upload", properties: [], authorization: .none)

    private static let gitHub = SourceType(
        name: "github", displayName: "GitHub", category: "code",
        properties: [
            SourceProperty(
                "repository", .string, form: .repository, isRequired: true,
                description: "the repository, as owner/name"),
            SourceProperty(
                "ref", .string, form: .gitReference,
                description: "the branch, tag or commit; the default branch where there is none"),
            SourceProperty(
                "path", .string, description: "the folder or file that is read; everything where there is none"),
        ],
        authorization: .optional)

    private static let googleDrive = SourceType(
        name: "google_drive", displayName: "Google Drive", category: "drive",
        properties: [
            SourceProperty(
                "folderId", .string, description: "the folder that is read; the whole drive where there is none"),
            SourceProperty(
                "recursive", .boolean, default: .boolean(true), description: "whether the folders in it are read too"),
        ],
        authorization: .required)

    private static let notion = SourceType(
        name: "notion", displayName: "Notion", category: "wiki", properties: [], authorization: .required)

    private static let feed = SourceType(
        name: "rss", displayName: "RSS or Atom feed", category: "web",
        properties: [address("the address of the feed")], authorization: .none)

    private static let sitemap = SourceType(
        name: "sitemap", displayName: "Sitemap", category: "web",
        properties: [address("the address of the sitemap, or of an index of sitemaps"), mostPages(1000)],
        authorization: .none)

    private static let website = SourceType(
        name: "website", displayName: "Website crawl", category: "web",
        properties: [
            address("the address of the first page; pages of its origin and under its directory are read"),
            mostPages(100),
            SourceProperty(
                "maxDepth", .integer, form: .within(0...1000), default: .integer(5),
                description: "the most links from the first page to another"),
        ],
        authorization: .none)

    private static func address(_ description: String) -> SourceProperty {
        SourceProperty("url", .string, form: .webAddress, isRequired: true, description: description)
    }

    private static func mostPages(_ number: Int) -> SourceProperty {
        SourceProperty(
            "maxPages", .integer, form: .within(1...1_000_000), default: .integer(number),
            description: "the most pages that are read")
    }
}
