/// The store as one operation uses it: what fails is tried again, for a disk that is full has room later.
struct DurableStore: Sendable {
    let operation: OperationID
    let parts: IngestionParts

    /// An hour in all: somebody has to see to it, and other operations meet the same.
    private static let pauses: [Duration] =
        [.milliseconds(100), .seconds(1), .seconds(5), .seconds(20)] + Array(repeating: .seconds(60), count: 60)

    /// Throws `.storeLost` where it failed each time, and `.dropped` where the service stops meanwhile.
    func attempt<Result: Sendable>(
        _ call: (any IngestionStore) async throws(AssetStoreError) -> Result
    ) async throws(IngestionPlan.Stop) -> Result {
        for pause in Self.pauses {
            do throws(AssetStoreError) {
                return try await call(parts.store)
            } catch {
                guard error != .closed else { throw .dropped }
                parts.observe(.storeFailed(operation, error))
            }
            do throws(CancellationError) { try await parts.sleep(pause) } catch { throw .dropped }
        }
        do throws(AssetStoreError) {
            return try await call(parts.store)
        } catch {
            parts.observe(.storeFailed(operation, error))
            throw error == .closed ? .dropped : .storeLost
        }
    }

    /// The same for calls that say whether the operation goes on.
    func advance(
        _ call: (any IngestionStore) async throws(AssetStoreError) -> IngestionProgress
    ) async throws(IngestionPlan.Stop) {
        guard try await attempt(call) == .goesOn else { throw .ended }
    }

    /// The same for calls that admit items.
    func admit(
        _ call: (any IngestionStore) async throws(AssetStoreError) -> ItemAdmission
    ) async throws(IngestionPlan.Stop) -> (items: [QueuedItem], isFull: Bool) {
        switch try await attempt(call) {
        case .added(let items, let isFull): return (items, isFull)
        case .ended: throw .ended
        }
    }
}
