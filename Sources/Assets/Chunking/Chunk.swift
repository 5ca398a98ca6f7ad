/// A piece of a document's text, small enough for a model.
public struct Chunk: Sendable, Hashable {
    /// From 0.
    public var index: Int
    /// Exactly the piece of the extracted text.
    public var content: String
    /// The headings above, joined by ` > `.
    public var headingPath: String?
    public var page: Int?
    /// Of the extracted text, in Unicode scalars.
    public var scalars: Range<Int>
    /// From 1, of the extracted text.
    public var lines: ClosedRange<Int>
    /// Bytes of UTF-8 ÷ 4, rounded up.
    public var tokenCount: Int

    public init(
        index: Int, content: String, headingPath: String?, page: Int?, scalars: Range<Int>, lines: ClosedRange<Int>,
        tokenCount: Int
    ) {
        self.index = index
        self.content = content
        self.headingPath = headingPath
        self.page = page
        self.scalars = scalars
        self.lines = lines
        self.tokenCount = tokenCount
    }
}
