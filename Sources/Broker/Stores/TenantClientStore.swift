public import Catalog
public import Formats
public import Secrets

/// Keeps the clients that tenants brought.
public protocol TenantClientStore: Sendable {
    /// All clients that the tenant brought, in no order; empty where it brought none.
    func clients(of tenant: TenantID) async throws(StoreError) -> [KeptClient]

    /// Keeps a tenant's client in place of an earlier one. `true` where there was none.
    func setClient(_ client: KeptClient, of tenant: TenantID, recording event: Event) async throws(StoreError) -> Bool

    /// Deletes a tenant's client. `false` where there was none: nothing is recorded then.
    func deleteClient(
        _ sourceType: SourceType.ID, of tenant: TenantID, recording event: Event
    ) async throws(StoreError) -> Bool

    /// Seals tenants' client secrets again: the result of `again` replaces its argument, `nil` leaves it. Looks at no
    /// more than `limit` clients after `position`. Gives the number replaced, and the place to go on from, or `nil` at
    /// the end.
    func resealClients(
        after position: ClientPosition?, limit: Int,
        sealing again: @escaping @Sendable (ClientPosition, Sealed<ClientSecret>) -> Sealed<ClientSecret>?
    ) async throws(StoreError) -> (moved: Int, position: ClientPosition?)
}
