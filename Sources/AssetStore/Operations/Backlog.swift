public import Assets
import GRDB

extension SQLiteAssetStore {
    /// The operations that wait for their turn.
    public func waitingOperationCount() async throws(AssetStoreError) -> Int {
        try await lists.first { db in
            Int(try db.first("SELECT count(*) FROM operations WHERE is_waiting = 1") { $0.integer(0) } ?? 0)
        }
    }
}
