public import Formats
public import Secrets

/// Keeps a store in order.
public protocol MaintenanceStore: Sendable {
    /// Deletes expired credential keys, ends expired flows and deletes them a day later, and deletes events from before
    /// `eventsSince`; at most `limit` of each. Gives the events that report it, and whether some are left.
    func sweep(at now: Timestamp, eventsSince: Timestamp, limit: Int) async throws(StoreError) -> (
        events: [Event], isUnfinished: Bool
    )

    /// Throws unless the store can write.
    func check() async throws(StoreError)

    /// Seals the audit trail's own key under the first master key, if another one sealed it.
    func resealAuditKey(_ ring: KeyRing) async throws(StoreError)

    /// The uses of each master key at `now`, by the key's name. Changes nothing.
    func masterKeyUses(at now: Timestamp) async throws(StoreError) -> [String: MasterKeyUses]

    /// Finishes what was handed over. Every later call throws `StoreError.closed`; closing again does nothing.
    func close() async
}
