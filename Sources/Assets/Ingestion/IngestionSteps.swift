// What a plan is told, and what it says.
extension IngestionPlan {
    enum Event: Sendable {
        /// Items that are to be read, from the listing. `isFull`: some were left out.
        case found([QueuedItem], isFull: Bool)
        /// Chosen items that the listing did not have.
        case foundMissing([QueuedItem])
        case listed(ListingProgress.Page)
        case begun([QueuedItem])
        /// A document waits, and gives its place to others.
        case paused(ItemID, heldBytes: Int)
        case wantsPlace(ItemID, Place.Turn)
        /// A document needs its place no more, though it is not finished.
        case leftPlace(ItemID)
        /// Items are done and kept, with what they led to.
        case finished([ItemID], [QueuedItem], isFull: Bool)
        case stops(Stop)
    }

    enum Step: Sendable {
        case list(after: ListingCursor?)
        case addMissing([SourceItem])
        case begin([QueuedItem])
        case read(QueuedItem)
        /// Ends an item that needs no reading.
        case settle(QueuedItem, ItemOutcome)
        case goOn(Place.Turn)
    }

    /// A reason to do nothing more.
    enum Stop: Error, Sendable {
        /// All is done that could be.
        case listed(isComplete: Bool, keepsVanished: Bool, isFull: Bool)
        case failed(AssetOperation.Failure)
        case cancelled
        /// The store says that the operation is done, or gone.
        case ended
        /// The store could not be reached for an hour.
        case storeLost
        /// The service stops.
        case dropped
    }

    /// The most of what may be in memory at once.
    struct Bounds: Sendable {
        /// Documents that are read, cut and embedded at once.
        var places: Int
        /// Documents beside those: they wait for their source or embedder, or are being written down.
        var besides = 256
        /// Bytes that waiting documents hold, before no other is begun.
        var pausedBytes = 128 << 20
        /// Items found and neither begun nor ended, before the listing waits.
        var queuedItems = 10_000
        /// Bytes that a listing brings with its items, before it waits.
        var queuedBytes = 64 << 20
    }
}

extension Ingestion {
    /// Items that the asset has already, or that were found before a crash, may stand anywhere in the listing.
    var knowsItems: Bool { operation.kind == .refresh || operation.counters.itemsTotal > 0 }
}
