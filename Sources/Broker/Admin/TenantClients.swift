import Catalog
import Foundation
import Secrets

/// Tenants' own clients, remembered for a second: what another broker changed takes effect within that, what this
/// one changed at once.
///
/// `@unchecked Sendable`: `known` and `changes` are guarded by `lock`; the rest never changes.
final class TenantClients: @unchecked Sendable {
    private static let mostTenants = 10_000
    private static let memory = Duration.seconds(1)

    private let store: any FlowStore
    private let vault: Vault
    private let now: @Sendable () -> ContinuousClock.Instant
    private let lock = NSLock()
    private var known: [TenantID: (clients: [SourceType.ID: Client], until: ContinuousClock.Instant)] = [:]
    private var changes = 0

    init(store: any FlowStore, vault: Vault, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.store = store
        self.vault = vault
        self.now = now
    }

    /// Throws also where a client's secret cannot be opened: another app in its place would be a surprise.
    func all(of tenant: TenantID) async throws(StoreError) -> [SourceType.ID: Client] {
        let time = now()
        let (found, before) = lock.withLock { (known[tenant], changes) }
        if let found, time < found.until { return found.clients }

        var clients: [SourceType.ID: Client] = [:]
        for kept in try await store.clients(of: tenant) {
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
        lock.withLock {
            // What changed while the store was asked may be missing here.
            guard changes == before else { return }
            if known.count >= Self.mostTenants { known.removeAll(keepingCapacity: true) }
            known[tenant] = (clients, time + Self.memory)
        }
        return clients
    }

    func forget(_ tenant: TenantID) {
        lock.withLock {
            changes += 1
            known[tenant] = nil
        }
    }
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

    /// A secret does not open as another tenant's. No part can hold the separator.
    private static func context(_ tenant: TenantID, _ sourceType: SourceType.ID) -> [UInt8] {
        Array("\(tenant)\u{0}\(sourceType)".utf8)
    }
}
