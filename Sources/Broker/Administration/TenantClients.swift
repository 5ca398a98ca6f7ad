import Catalog
import Secrets

/// Tenants' own clients, cached for a second: a change by another broker takes effect within that, one by this broker
/// at once.
final class TenantClients: Sendable {
    private typealias Cache = SingleFlightCache<TenantID, [SourceType.ID: Client], StoreError, Never>

    private let store: any TenantClientStore
    private let vault: Vault
    private let cache: Cache

    init(store: any TenantClientStore, vault: Vault, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.store = store
        self.vault = vault
        cache = Cache(.init(fresh: .seconds(1)), capacity: 10_000, now: now)
    }

    /// A tenant's clients. Throws also where a client's secret cannot be opened: its flows must not act as the
    /// installation's client instead.
    func all(of tenant: TenantID) async throws(StoreError) -> [SourceType.ID: Client] {
        if let known = cache.freshValue(for: tenant) { return known }
        return try await cache.value(for: tenant) { [store, vault] () async throws(StoreError) in
            try Self.open(await store.clients(of: tenant), of: tenant, with: vault)
        }
    }

    private static func open(
        _ stored: [KeptClient], of tenant: TenantID, with vault: Vault
    ) throws(StoreError) -> [SourceType.ID: Client] {
        var clients: [SourceType.ID: Client] = [:]
        for kept in stored {
            var secret: ClientSecret?
            if let sealed = kept.secret {
                do throws(OpenError) {
                    secret = try vault.open(sealed, of: tenant, kept.sourceType)
                } catch {
                    throw .unavailable(
                        "the client secret of \(tenant) for \(kept.sourceType) does not open: \(error.reason(sealed.keyID))"
                    )
                }
            }
            clients[kept.sourceType] = Client(kept, of: tenant, secret: secret)
        }
        return clients
    }

    func forget(_ tenant: TenantID) { cache.forget(tenant) }
}

extension Vault {
    func seal(_ secret: ClientSecret, of tenant: TenantID, _ sourceType: SourceType.ID) -> Sealed<ClientSecret> {
        let bytes = secret.expose { SecretBytes(Array($0.utf8)) }
        return keyRing.seal(bytes, as: Label("client-secret"), context: Self.context(tenant, sourceType))
    }

    func open(
        _ sealed: Sealed<ClientSecret>, of tenant: TenantID, _ sourceType: SourceType.ID
    ) throws(OpenError) -> ClientSecret {
        let bytes = try keyRing.open(
            sealed, as: Label("client-secret"), context: Self.context(tenant, sourceType))
        return bytes.expose { ClientSecret(String(decoding: $0, as: UTF8.self)) }
    }

    /// The associated data, by which a secret does not open as another tenant's. No part can hold the separator.
    private static func context(_ tenant: TenantID, _ sourceType: SourceType.ID) -> [UInt8] {
        Array("\(tenant)\u{0}\(sourceType)".utf8)
    }
}
