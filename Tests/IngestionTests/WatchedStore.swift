import AssetStore
import Assets
import Formats
import Secrets

/// The real store, with a test looking at each call before and after it, or letting it fail.
struct WatchedStore: IngestionStore {
    enum Call: Sendable, Equatable {
        case recover, next, add, begin, stage, finish, end
    }

    let store: SQLiteAssetStore
    var before: @Sendable (Call) async throws(AssetStoreError) -> Void = { (_) throws(AssetStoreError) in }
    var after: @Sendable (Call) async throws(AssetStoreError) -> Void = { (_) throws(AssetStoreError) in }

    private func watched<Result: Sendable>(
        _ call: Call, _ body: () async throws(AssetStoreError) -> Result
    ) async throws(AssetStoreError) -> Result {
        try await before(call)
        let result = try await body()
        try await after(call)
        return result
    }

    func recover(at now: Timestamp) async throws(AssetStoreError) {
        try await watched(.recover) { () throws(AssetStoreError) in try await store.recover(at: now) }
    }

    func next(excluding excluded: Set<TenantID>, at now: Timestamp) async throws(AssetStoreError) -> Ingestion? {
        try await watched(.next) { () throws(AssetStoreError) in try await store.next(excluding: excluded, at: now) }
    }

    func add(
        _ items: [SourceItem], to operation: OperationID, mostDocuments: Int, at now: Timestamp
    ) async throws(AssetStoreError) -> ItemAdmission {
        try await watched(.add) { () throws(AssetStoreError) in
            try await store.add(items, to: operation, mostDocuments: mostDocuments, at: now)
        }
    }

    func begin(
        _ items: [ItemID], of operation: OperationID, at now: Timestamp
    ) async throws(AssetStoreError) -> ItemBeginning {
        try await watched(.begin) { () throws(AssetStoreError) in try await store.begin(items, of: operation, at: now) }
    }

    func stage(
        _ chunks: [StagedChunk], of item: ItemID, of operation: OperationID
    ) async throws(AssetStoreError) -> IngestionProgress {
        try await watched(.stage) { () throws(AssetStoreError) in
            try await store.stage(chunks, of: item, of: operation)
        }
    }

    func finish(
        _ items: [FinishedItem], of operation: OperationID, mostDocuments: Int, at now: Timestamp
    ) async throws(AssetStoreError) -> ItemAdmission {
        try await watched(.finish) { () throws(AssetStoreError) in
            try await store.finish(items, of: operation, mostDocuments: mostDocuments, at: now)
        }
    }

    func end(
        _ operation: OperationID, _ end: IngestionEnd, at now: Timestamp
    ) async throws(AssetStoreError) -> AssetOperation? {
        try await watched(.end) { () throws(AssetStoreError) in try await store.end(operation, end, at: now) }
    }

    func credentials(of asset: AssetID) async throws(AssetStoreError) -> Sealed<AssetCredentials>? {
        try await store.credentials(of: asset)
    }

    func replace(
        _ old: Sealed<AssetCredentials>, by new: Sealed<AssetCredentials>, of asset: AssetID
    ) async throws(AssetStoreError) -> Bool {
        try await store.replace(old, by: new, of: asset)
    }
}
