public import Assets

/// The ways to tell the ingestion that something changed, once that is kept.
public struct IngestionSignals: Sendable {
    /// An operation was made.
    let wake: @Sendable () -> Void
    /// An operation is to end, or its asset is gone.
    let cancel: @Sendable (OperationID) async -> Void

    public init(
        wake: @escaping @Sendable () -> Void, cancel: @escaping @Sendable (OperationID) async -> Void
    ) {
        self.wake = wake
        self.cancel = cancel
    }
}
