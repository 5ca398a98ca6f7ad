/// The text of a document, in the borders that no chunk crosses.
public struct ExtractedText: Sendable {
    /// UTF-8, without byte order mark; line ends are LF.
    public var bytes: [UInt8]
    /// In order, without gaps or overlaps, from 0 to the end. One for a text without headings and pages.
    public var sections: [Section]
    /// The document's own title, where it has one.
    public var title: String?

    /// A part of the text under one heading, or on one page.
    public struct Section: Sendable, Hashable {
        /// Of `bytes`.
        public var range: Range<Int>
        /// The headings above it, its own last.
        public var headings: [String]
        /// From 1; `nil` where the document has no pages.
        public var page: Int?

        public init(range: Range<Int>, headings: [String] = [], page: Int? = nil) {
            self.range = range
            self.headings = headings
            self.page = page
        }
    }

    public init(bytes: [UInt8], sections: [Section]? = nil, title: String? = nil) {
        self.bytes = bytes
        self.sections = sections ?? [Section(range: 0..<bytes.count)]
        self.title = title
    }
}

/// Takes the text out of documents.
public protocol TextExtractor: Sendable {
    /// The types that are read on this machine.
    var supportedTypes: [SupportedType] { get }

    /// - Parameter fileName: tells the type where the content's own is missing or says nothing.
    func extract(_ content: SourceContent, fileName: String) async throws(Document.Failure) -> ExtractedText
}

/// A media type of documents that can be read.
public struct SupportedType: Sendable, Hashable {
    public var contentType: String
    /// Such as `.md`, the usual one first.
    public var extensions: [String]
    public var description: String

    public init(contentType: String, extensions: [String], description: String) {
        self.contentType = contentType
        self.extensions = extensions
        self.description = description
    }
}
