/// All that a broker keeps, in one database, so that related changes are one transaction.
public protocol BrokerStore: FlowStore, CredentialKeyStore, RefreshStore, AuditTrailStore, TenantClientStore,
    ClientRegistrationStore, MaintenanceStore
{}

/// A reason why a store could not do its work. Names the statement or file, never a value.
public enum StoreError: Error, Equatable, Sendable {
    /// The disk is full, the file vanished or is read-only, or another process holds it for too long. The words are the
    /// program's own.
    case unavailable(String)
    /// The write was sent to be committed and the store cannot tell whether it is there: what it would have given is not
    /// given. A credential key may be spent. The words are the program's own.
    case uncertain(String)
    /// The store is closed, since the service stops.
    case closed
}
