/// The store as one operation uses it: what fails is tried again, for a disk that is full has room later.
struct DurableStore: Sendable {
    let operation: OperationID
    let parts: IngestionParts

    private static let firstPauses: [Duration] = [.milliseconds(100), .seconds(1), .seconds(5), .seconds(20)]
    private static let laterPause: Duration = .seconds(60)
    /// An hour in all: somebody has to see to it, and other operations meet the same.
    private static let mostPauses = firstPauses.count + 60

    /// Throws `.storeLost` where it failed for an hour, and `.dropped` where the service stops meanwhile.
    ///
    /// - Parameter mostPauses: `nil`: it is tried until it works.
    func attempt<Result: Sendable>(
        mostPauses: Int? = Self.mostPauses, _ call: (any IngestionStore) async throws(AssetStoreError) -> Result
    ) async throws(IngestionPlan.Stop) -> Result {
        var pauses = 0
        while true {
            do throws(AssetStoreError) {
                return try await call(parts.store)
            } catch {
                guard error != .closed else { throw .dropped }
                parts.observe(.storeFailed(operation, error))
            }
            if pauses == mostPauses { throw .storeLost }
            let pause = pauses < Self.firstPauses.count ? Self.firstPauses[pauses] : Self.laterPause
            do throws(CancellationError) { try await parts.sleep(pause) } catch { throw .dropped }
            pauses += 1
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
