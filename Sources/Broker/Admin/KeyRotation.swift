public import Secrets

/// The uses that a master key still has.
public struct MasterKeyUses: Sendable, Equatable {
    /// Flows that wait for their callback.
    public var flows = 0
    /// Credential keys that wait to be redeemed.
    public var credentialKeys = 0
    /// Tenants' client secrets.
    public var clients = 0
    /// The audit trail's own key.
    public var auditTrail = false

    public init() {}
}

/// A reason not to take over the keys of a file that changed.
public enum KeyRefusal: Error, Equatable, Sendable {
    /// These are not in it, and the database needs them.
    case missing([String: MasterKeyUses])
    /// One of this name is, with other bytes than what the database needs.
    case another(KeyRing.KeyID)
    case store(StoreError)
}

extension Broker {
    /// Takes over the keys of a master key file that changed, while flows run, if they open all that the store has.
    /// Whether they are others.
    public func replaceKeys(by ring: KeyRing) async throws(KeyRefusal) -> Bool {
        let uses: [String: MasterKeyUses]
        do {
            uses = try await store.masterKeyUses(at: now())
        } catch {
            throw .store(error)
        }
        let names = Set(ring.ids.map(\.description))
        let missing = uses.filter { !names.contains($0.key) }
        guard missing.isEmpty else { throw .missing(missing) }
        if let id = keyRing.ids.first(where: { uses[$0.description] != nil && keyRing.differs(from: ring, at: $0) }) {
            throw .another(id)
        }
        return keyRing.replace(by: ring)
    }

    /// Seals what lasts under the first master key, if another one sealed it: tenants' client secrets and the audit
    /// trail's key. Flows and credential keys end by themselves. How many secrets were moved.
    ///
    /// - Parameter progress: told how many were moved so far, after each batch.
    public func reseal(progress: @Sendable (Int) -> Void = { _ in }) async throws(StoreError) -> Int {
        try await store.resealAuditKey(keyRing)
        var moved = 0
        var position: ClientPosition?
        let (vault, primary, tell) = (vault, keyRing.primary, tell)
        repeat {
            let batch = try await store.resealClients(after: position, limit: 500) { place, sealed in
                guard sealed.keyID != primary else { return nil }
                do throws(OpenError) {
                    let secret = try vault.open(sealed, of: place.tenant, place.sourceType)
                    return vault.seal(secret, of: place.tenant, place.sourceType)
                } catch {
                    tell(
                        Incident(
                            .clientSecretUnreadable, error.reason(sealed.keyID), tenant: place.tenant,
                            sourceType: place.sourceType))
                    return nil
                }
            }
            moved += batch.moved
            position = batch.position
            if batch.moved > 0 { progress(moved) }
        } while position != nil
        return moved
    }
}
