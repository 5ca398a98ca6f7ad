import Catalog
import Formats
import Secrets

/// Tenants' own clients, cached for a second: a change by another broker takes effect within that, one by this broker
/// at once.
final class TenantClients: Sendable {
    /// A client, or the reason why its secret does not open.
    typealias Found = Result<Client, StoreError>
    private typealias Cache = SingleFlightCache<TenantID, [SourceType.ID: Found], StoreError, Never>

    private let store: any TenantClientStore
    private let vault: Vault
    private let cache: Cache
    private let tell: @Sendable (Incident) -> Void
    private let unreadable = Told<ClientPosition>()

    init(
        store: any TenantClientStore, vault: Vault, tell: @escaping @Sendable (Incident) -> Void,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.store = store
        self.vault = vault
        self.tell = tell
        cache = Cache(.init(fresh: .seconds(1)), capacity: 10_000, now: now)
    }

    /// A tenant's clients. One whose secret does not open is a failure of that source type alone, whose flows must not
    /// act as the installation's client instead; it is told as an incident.
    func all(of tenant: TenantID) async throws(StoreError) -> [SourceType.ID: Found] {
        if let known = cache.freshValue(for: tenant) { return known }
        return try await cache.value(for: tenant) { [self] () async throws(StoreError) in
            try await open(store.clients(of: tenant), of: tenant)
        }
    }

    private func open(_ stored: [KeptClient], of tenant: TenantID) async -> [SourceType.ID: Found] {
        var clients: [SourceType.ID: Found] = [:]
        for kept in stored {
            var secret: ClientSecret?
            if let sealed = kept.secret {
                do throws(OpenError) {
                    secret = try vault.open(sealed, of: tenant, kept.sourceType)
                } catch {
                    let reason = error.reason(sealed.keyID)
                    if await unreadable.isNews(ClientPosition(tenant: tenant, sourceType: kept.sourceType)) {
                        tell(
                            Incident(.clientSecretUnreadable, reason, tenant: tenant, sourceType: kept.sourceType))
                    }
                    clients[kept.sourceType] = .failure(
                        .unavailable("the client secret of \(tenant) for \(kept.sourceType) does not open: \(reason)"))
                    continue
                }
            }
            clients[kept.sourceType] = .success(Client(kept, of: tenant, secret: secret))
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
