/// The source types that can be ingested, with their readers.
public protocol SourceReaders: Sendable {
    /// Sorted by name.
    var sourceTypes: [SourceType] { get }

    /// A reader for one operation; `nil` where nothing reads its source's type any more.
    ///
    /// - Parameter tokens: the source's credentials; `nil` where it has none.
    func reader(for ingestion: Ingestion, tokens: (any AccessTokenSource)?) -> (any SourceReader)?
}
