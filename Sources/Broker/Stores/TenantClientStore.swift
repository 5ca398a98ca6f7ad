public import Catalog
public import Secrets

/// Keeps the clients that tenants brought.
public protocol TenantClientStore: Sendable {
    func clients(of tenant: TenantID) async throws(StoreError) -> [KeptClient]

    /// Keeps a tenant's client in place of the one before. `true`: there was none.
    func setClient(_ client: KeptClient, of tenant: TenantID, recording event: Event) async throws(StoreError) -> Bool

    /// `false`: there was none.
    func deleteClient(
        _ sourceType: SourceType.ID, of tenant: TenantID, recording event: Event
    ) async throws(StoreError) -> Bool

    /// Seals tenants' clients again: what `again` gives replaces what it was given. Looks at no more than `limit` after
    /// `position`. The place to go on from, or `nil` at the end, and the number replaced.
    func resealClients(
        after position: ClientPosition?, limit: Int,
        sealing again: @escaping @Sendable (ClientPosition, Sealed<ClientSecret>) -> Sealed<ClientSecret>?
    ) async throws(StoreError) -> (moved: Int, position: ClientPosition?)
}
