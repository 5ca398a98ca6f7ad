public import Formats
public import Secrets

/// What keeps a store in order.
public protocol MaintenanceStore: Sendable {
    /// Deletes expired credential keys, a day after their end flows, and events from before `eventsSince`; at most `limit` of
    /// each. The events that tell of it, and whether some are left.
    func sweep(at now: Timestamp, eventsSince: Timestamp, limit: Int) async throws(StoreError) -> (
        events: [Event], isUnfinished: Bool
    )

    /// Throws unless the store can write.
    func check() async throws(StoreError)

    /// Seals the store's own key again.
    func resealAuditKey(_ ring: KeyRing) async throws(StoreError)

    /// The uses of each master key, by the key's name. Changes nothing.
    func masterKeyUses(at now: Timestamp) async throws(StoreError) -> [String: MasterKeyUses]

    /// Finishes what was handed over. Every later call throws `StoreError.closed`; closing again does nothing.
    func close() async
}
