/// An event in the work on operations, for the log and the metrics. Holds no secret and nothing of a document's text.
public enum IngestionEvent: Sendable {
    /// An operation runs; on, where it had begun before the process started.
    case started(AssetOperation)
    /// A document is done. Tokens and chunks are those that it cost.
    case documentDone(OperationID, Result, chunks: Int, tokens: Int)
    /// An operation has ended, as it was kept.
    case ended(AssetOperation)
    /// An operation had to end whose asset was deleted.
    case gone(OperationID)
    /// The service stops. The operation goes on at the next start.
    case dropped(OperationID)
    /// A call of the store failed, and is made again after a while. `nil`: none of one operation.
    case storeFailed(OperationID?, AssetStoreError)
    /// Ours (`internal_error`): the operation fails for a reason that nobody outside can mend.
    case internalError(OperationID, InternalError)

    /// The result of the work on a document.
    public enum Result: Sendable, Hashable {
        case completed
        case unchanged
        case failed(Document.Code)
        case absent
    }

    /// A fault of this service.
    public enum InternalError: Sendable, Hashable {
        /// The store could not be reached for an hour.
        case storeLost
        /// Nothing reads sources of this type any more.
        case noReader(sourceType: String)
    }
}
