public import Formats
public import Secrets

/// What the ingestion reads and writes. Each call is atomic, and durable before it returns: what was counted is never
/// counted again, whenever the process ends.
///
/// Calls for an operation that is done, or whose asset is gone, change nothing and say `.ended`.
public protocol IngestionStore: Sendable {
    /// Called once, at start, before anything else runs: puts what was RUNNING back to its beginning. An operation with a
    /// wish to end is CANCELLED. An item that was in work is to be begun again, or, at the third end of the process, its
    /// document is FAILED with `crashed` and counted.
    func recover(at now: Timestamp) async throws(AssetStoreError)

    /// Takes the oldest operation that is PENDING, or to be resumed, of no tenant in `excluded`, and has it RUNNING. No
    /// operation is given out twice between two starts.
    func next(excluding excluded: Set<TenantID>, at now: Timestamp) async throws(AssetStoreError) -> Ingestion?

    /// Adds items that were found, and gives those that are to be read: new to this operation, or found before a crash
    /// and not done. An item that is there already is passed over. Beyond `mostDocuments` of the asset nothing is added,
    /// and the answer says so. The first call after a crash also gives the items that others had led to: no listing
    /// brings them again. Of an operation whose documents were chosen, items of other documents are passed over.
    func add(
        _ items: [SourceItem], to operation: OperationID, mostDocuments: Int, at now: Timestamp
    ) async throws(AssetStoreError) -> ItemAdmission

    /// Notes that these items are in work, and gives the versions of their kept documents. The document of one that has
    /// no text yet is PROCESSING.
    func begin(_ items: [ItemID], of operation: OperationID, at now: Timestamp) async throws(AssetStoreError)
        -> ItemBeginning

    /// Keeps chunks that belong to an item in work, which nobody sees before `finish`.
    func stage(_ chunks: [StagedChunk], of item: ItemID, of operation: OperationID) async throws(AssetStoreError)
        -> IngestionProgress

    /// Ends the work on items: their documents, their chunks (the staged ones and the outcome's, in place of those of
    /// before), what they led to and the counters, in one commit. What they led to comes back as from `add`.
    func finish(
        _ items: [FinishedItem], of operation: OperationID, mostDocuments: Int, at now: Timestamp
    ) async throws(AssetStoreError) -> ItemAdmission

    /// Ends an operation, and with it the items that are not done: documents that were found and have no text are
    /// removed, others stay as they were. Where the listing came to its end, an item that was found before a crash and
    /// never again counts as one that is gone. An operation with a wish to end is CANCELLED, however it ended.
    func end(
        _ operation: OperationID, _ end: IngestionEnd, at now: Timestamp
    ) async throws(AssetStoreError) -> AssetOperation?

    /// The asset's credentials; `nil` where it has none.
    func credentials(of asset: AssetID) async throws(AssetStoreError) -> Sealed<AssetCredentials>?

    /// Replaces credentials by those of a refresh, unless they were replaced meanwhile: then `false`.
    func replace(
        _ old: Sealed<AssetCredentials>, by new: Sealed<AssetCredentials>, of asset: AssetID
    ) async throws(AssetStoreError) -> Bool
}

/// An operation that is to run, with all that its run needs.
public struct Ingestion: Sendable {
    public var operation: AssetOperation
    public var asset: Asset
    public var upload: Upload?
    /// Nothing is skipped.
    public var isForced: Bool
    /// The documents that are to be looked at, as items; `nil`: all that the source has.
    public var chosen: [SourceItem]?
    /// The items that others had led to before the process ended last, for readers that bound their number.
    public var linked: [LinkedItem]

    public init(
        operation: AssetOperation, asset: Asset, upload: Upload?, isForced: Bool, chosen: [SourceItem]?,
        linked: [LinkedItem] = []
    ) {
        self.operation = operation
        self.asset = asset
        self.upload = upload
        self.isForced = isForced
        self.chosen = chosen
        self.linked = linked
    }
}

/// An item that another one led to.
public struct LinkedItem: Sendable, Hashable {
    public var key: String
    /// It turned out to be no document.
    public var isAbsent: Bool
    /// The reader's own.
    public var note: String?

    public init(key: String, isAbsent: Bool, note: String? = nil) {
        self.key = key
        self.isAbsent = isAbsent
        self.note = note
    }
}

/// Finds an item within a store.
public struct ItemID: Sendable, Hashable {
    public var number: Int64

    public init(_ number: Int64) { self.number = number }
}

/// An item that is to be read.
public struct QueuedItem: Sendable {
    public var id: ItemID
    public var item: SourceItem
    /// That of the kept document's last good reading; `nil` where there is none. Told before the item is begun only where
    /// the listing has one to compare: a page's holds all its links, and ten thousand pages may wait.
    public var keptVersion: ItemVersion?
    /// The ends of the process that it was in work at.
    public var crashes: Int

    public init(id: ItemID, item: SourceItem, keptVersion: ItemVersion?, crashes: Int) {
        self.id = id
        self.item = item
        self.keptVersion = keptVersion
        self.crashes = crashes
    }
}

public enum IngestionProgress: Sendable, Equatable {
    case goesOn
    /// It is done, cancelled or gone: nothing was changed.
    case ended
}

public enum ItemBeginning: Sendable, Equatable {
    /// With the versions of the kept documents, where there are any.
    case begun([ItemID: ItemVersion])
    /// It is done, cancelled or gone: nothing was changed.
    case ended
}

public enum ItemAdmission: Sendable {
    /// - isFull: some were left out, since the asset has as many documents as may be.
    case added([QueuedItem], isFull: Bool)
    /// It is done, cancelled or gone: nothing was changed.
    case ended
}

/// A chunk, and its vector where there is an embedder.
public struct StagedChunk: Sendable {
    public var chunk: Chunk
    public var vector: [Float]?

    public init(_ chunk: Chunk, vector: [Float]? = nil) {
        self.chunk = chunk
        self.vector = vector
    }
}

/// An item on which the work is over.
public struct FinishedItem: Sendable {
    public var id: ItemID
    public var outcome: ItemOutcome

    public init(_ id: ItemID, _ outcome: ItemOutcome) {
        self.id = id
        self.outcome = outcome
    }
}

/// The outcome of the work on an item.
public struct ItemOutcome: Sendable {
    public enum Result: Sendable {
        case completed(ReadDocument, last: [StagedChunk])
        /// The document is what it was. `nil`: so is its version.
        case unchanged(ItemVersion?)
        case failed(Document.Failure)
        /// There is no document. One that was kept is removed at the end, with those that have vanished.
        case absent
    }

    public var result: Result
    public var found: [SourceItem]
    /// The tokens that were spent: the embedder's word, else the sum over the chunks.
    public var tokensSpent: Int
    /// Something that it led to was left out, so that the listing is not whole. Kept, so that a crash does not forget it.
    public var isIncomplete: Bool

    public init(_ result: Result, found: [SourceItem] = [], tokensSpent: Int = 0, isIncomplete: Bool = false) {
        self.result = result
        self.found = found
        self.tokensSpent = tokensSpent
        self.isIncomplete = isIncomplete
    }
}

/// What is kept of a document beside its chunks.
public struct ReadDocument: Sendable {
    public var fileName: String
    public var contentType: String
    public var sourceURL: String?
    /// In bytes.
    public var size: Int
    public var version: ItemVersion
    /// All of them, the staged ones included.
    public var chunkCount: Int
    public var tokenCount: Int

    public init(
        fileName: String, contentType: String, sourceURL: String?, size: Int, version: ItemVersion, chunkCount: Int,
        tokenCount: Int
    ) {
        self.fileName = fileName
        self.contentType = contentType
        self.sourceURL = sourceURL
        self.size = size
        self.version = version
        self.chunkCount = chunkCount
        self.tokenCount = tokenCount
    }
}

/// The end of an operation, as the ingestion saw it. The store makes the status of it and of its counters.
public enum IngestionEnd: Sendable {
    /// All items are done. Documents of items that were not found are removed where `isComplete`, all were wanted and
    /// `keepsVanished` is false.
    case listed(isComplete: Bool, keepsVanished: Bool, isFull: Bool)
    case failed(AssetOperation.Failure)
    case cancelled
}
