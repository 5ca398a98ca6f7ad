/// The uses that a master key still has: with any, it must stay in the file.
public struct MasterKeyUses: Sendable, Equatable {
    /// Flows that wait for their callback.
    public var flows = 0
    /// Credential keys that wait to be redeemed.
    public var credentialKeys = 0
    /// Tenants' client secrets, and the broker's own registrations.
    public var clients = 0
    /// The audit trail's own key.
    public var auditTrail = false

    /// No use at all; the store counts.
    public init() {}
}
