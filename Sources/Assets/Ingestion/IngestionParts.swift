public import Formats

/// All that an ingestion reads by, writes to and tells. Nothing else reaches it.
public struct IngestionParts: Sendable {
    public var store: any IngestionStore
    public var readers: any SourceReaders
    public var extractor: any TextExtractor
    /// The credentials of an operation's source; `nil` where it has none.
    public var tokens: @Sendable (Ingestion) -> (any AccessTokenSource)?
    /// `nil` where the model is configured no more.
    public var embedder: @Sendable (EmbeddingModel.Name) -> (any Embedder)?
    /// Called where it happens: must not wait.
    public var observe: @Sendable (IngestionEvent) -> Void
    public var now: @Sendable () -> Timestamp
    public var steadyNow: @Sendable () -> ContinuousClock.Instant
    /// Waits before a call of the store is made again.
    public var sleep: @Sendable (Duration) async throws(CancellationError) -> Void

    public init(
        store: any IngestionStore, readers: any SourceReaders, extractor: any TextExtractor,
        tokens: @escaping @Sendable (Ingestion) -> (any AccessTokenSource)?,
        embedder: @escaping @Sendable (EmbeddingModel.Name) -> (any Embedder)?,
        observe: @escaping @Sendable (IngestionEvent) -> Void, now: @escaping @Sendable () -> Timestamp,
        steadyNow: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        sleep: @escaping @Sendable (Duration) async throws(CancellationError) -> Void = WorkPermit.sleep
    ) {
        self.store = store
        self.readers = readers
        self.extractor = extractor
        self.tokens = tokens
        self.embedder = embedder
        self.observe = observe
        self.now = now
        self.steadyNow = steadyNow
        self.sleep = sleep
    }
}

/// The most that is worked on at once, and the most that is kept.
public struct IngestionLimits: Sendable, Hashable {
    /// Operations that run at once.
    public var operations: Int
    /// Documents of one operation that are worked on at once.
    public var documents: Int
    /// Of one asset.
    public var maxDocuments: Int
    /// Of one document, in bytes.
    public var maxDocumentBytes: Int

    /// The operations of one tenant that run at once: half of all, rounded up.
    public var operationsOfOneTenant: Int { (operations + 1) / 2 }

    /// - Parameters: each at least 1.
    public init(operations: Int, documents: Int, maxDocuments: Int, maxDocumentBytes: Int) {
        self.operations = max(operations, 1)
        self.documents = max(documents, 1)
        self.maxDocuments = max(maxDocuments, 1)
        self.maxDocumentBytes = max(maxDocumentBytes, 1)
    }
}
